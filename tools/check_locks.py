"""Checks that requirements/*.txt satisfy pyproject.toml: every dependency pinned, hashed and in range."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)[^\n]*\\\n(?P<hash>\s+--hash=sha256:)", re.MULTILINE)


def pins(lock: Path) -> dict[str, set[str]]:
    """Return the pinned versions by package name; several where markers choose among them."""
    found: dict[str, set[str]] = {}
    for match in PIN.finditer(lock.read_text()):
        found.setdefault(canonicalize_name(match["name"]), set()).add(match["version"])
    return found


def complaints(requirements: list[str], lock: Path) -> list[str]:
    """Return one sentence for every requirement that the lock does not meet."""
    pinned = pins(lock)
    result = []
    for requirement in map(Requirement, requirements):
        versions = pinned.get(canonicalize_name(requirement.name), set())
        if not versions:
            result.append(f"{lock.name} does not pin {requirement.name}; run `make lock`")
        result += [
            f"{lock.name} pins {requirement.name} {version}, not {requirement.specifier}; run `make lock`"
            for version in versions
            if not requirement.specifier.contains(version, prereleases=True)
        ]
    return result


def main() -> int:
    """Print what is wrong and return the exit code."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    default = project["project"]["dependencies"] + groups["build"]
    found = complaints(default, ROOT / "requirements" / "default.txt")
    found += complaints(default + groups["dev"], ROOT / "requirements" / "dev.txt")
    sys.stdout.writelines(f"{sentence}\n" for sentence in found)
    return bool(found)


if __name__ == "__main__":
    raise SystemExit(main())
