"""API keys: only their hashes are kept, in a TOML file. ``python -m api.keys --name portal --role portal`` makes one.

[[key]]
name = "portal"             who acts, as the audit log will say
roles = ["portal"]          collector, verifier, portal, metrics, admin
sha256 = "…"                of the key itself, which has 256 random bits and therefore needs no slow hash
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import secrets
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ocr_service.errors import UsageError


class Role(StrEnum):
    """What somebody may do."""

    COLLECTOR = "collector"
    VERIFIER = "verifier"
    PORTAL = "portal"
    METRICS = "metrics"  # sees numbers, no photo and no name
    ADMIN = "admin"


ALL_ROLES = frozenset(Role)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as the service knows it."""

    name: str
    roles: frozenset[Role]
    sha256: str


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys."""

    keys: tuple[ApiKey, ...] = ()

    def find(self, secret: str) -> ApiKey | None:
        """The key that a secret opens; looks at every key, so that time tells nothing."""
        digest = hash_of(secret)
        found = [key for key in self.keys if hmac.compare_digest(key.sha256, digest)]
        return found[0] if found else None


def hash_of(secret: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(secret.encode()).hexdigest()


def load_keys(path: Path | None) -> KeyRing:
    """Keys of a file, none without one. Raises ``UsageError`` where it cannot be read or does not fit."""
    if path is None:
        return KeyRing()
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("key", [])
        keys = tuple(_key(entry) for entry in entries)
    except OSError as error:
        raise UsageError(f"the API key file cannot be read: {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"the API key file {path} does not fit: {error}; see python -m api.keys --help") from error
    return KeyRing(keys)


def _key(entry: dict[str, Any]) -> ApiKey:
    digest = str(entry["sha256"]).lower()
    if len(bytes.fromhex(digest)) != hashlib.sha256().digest_size:
        raise ValueError("sha256 needs 64 hexadecimal digits")
    roles = frozenset(Role(role) for role in entry["roles"])
    if not roles or not str(entry["name"]).strip():
        raise ValueError("a key needs a name and a role")
    return ApiKey(str(entry["name"]), roles, digest)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a new key and its entry for the key file."""
    parser = argparse.ArgumentParser(prog="python -m api.keys", description="Make an API key.")
    parser.add_argument("--name", required=True, help="who acts with it, as the audit log will say")
    parser.add_argument("--role", required=True, action="append", choices=[str(role) for role in Role])
    chosen = parser.parse_args(arguments)
    secret = secrets.token_urlsafe(32)
    sys.stderr.write(f"The key, shown this once: {secret}\n")
    # JSON strings and arrays of strings are TOML as well
    entry = {"name": chosen.name, "roles": chosen.role, "sha256": hash_of(secret)}
    sys.stdout.write("[[key]]\n" + "".join(f"{k} = {json.dumps(v, ensure_ascii=False)}\n" for k, v in entry.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
