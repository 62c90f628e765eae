"""The audit log for people: decisions with what they changed, instead of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from api.i18n import Texts
from api.pages.values import WITHOUT_WORDS, show_for_people
from ocr_service.database.values import DecisionView
from ocr_service.states import Verdict

_NO_FACTS = frozenset({"state", "shot_of"})


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One field before and after; empty where it was blank."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ShownDecision:
    """One decision: who said what when, and what it changed."""

    record_id: int
    at: datetime
    who: str
    verdict: Verdict
    what: str
    reason: str
    changes: tuple[ShownChange, ...]


def decisions(rows: Iterable[DecisionView], texts: Texts) -> list[ShownDecision]:
    """Decisions in the order of their rows; rows of one decision on one record stand together."""
    groups = groupby(rows, key=lambda row: (row.action, row.record_id))
    return [_decision(list(group), texts) for _, group in groups]


def recent_decisions(rows: Iterable[DecisionView], texts: Texts, limit: int = 8) -> list[ShownDecision]:
    """The last few decisions; the oldest of ``rows`` may be cut in half, which a list of verdicts can bear."""
    return decisions(rows, texts)[:limit]


def _decision(rows: list[DecisionView], texts: Texts) -> ShownDecision:
    first = rows[0]
    return ShownDecision(
        record_id=first.record_id,
        at=first.at,
        who=first.reviewer,
        verdict=first.verdict,
        what=texts(f"decision.{first.verdict}"),
        reason=first.reason or "",
        changes=tuple(_change(row, texts) for row in rows if row.field not in _NO_FACTS),
    )


def _change(row: DecisionView, texts: Texts) -> ShownChange:
    label = texts(f"field.{row.field}") if texts.knows(f"field.{row.field}") else row.field
    before, after = _texts_of(row.field, row.before, texts), _texts_of(row.field, row.after, texts)
    if before[0] != after[0]:
        return ShownChange(label, before[0], after[0])
    return ShownChange(label, before[1], after[1])


def _texts_of(name: str, document: Any, texts: Texts) -> tuple[str, str]:
    """The words as cut and the normal form of a field as the log keeps it."""
    if not isinstance(document, Mapping):
        return "", ""
    shown = show_for_people(name, document.get("value"), texts)
    return (shown if name in WITHOUT_WORDS else document.get("raw") or shown), shown
