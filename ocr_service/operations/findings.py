"""What a check of the installation found: a value, so that it can be shown as a table or as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"  # works; something will go wrong sooner or later
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what was seen, and what to do where it is not well."""

    check: str
    health: Health
    seen: str
    fix: str = ""


def well(check: str, seen: str) -> Finding:
    """All is well."""
    return Finding(check, Health.OK, seen)


def warning(check: str, seen: str, fix: str) -> Finding:
    """It works for now."""
    return Finding(check, Health.WARNING, seen, fix)


def broken(check: str, seen: str, fix: str) -> Finding:
    """The service cannot do its work so."""
    return Finding(check, Health.BROKEN, seen, fix)
