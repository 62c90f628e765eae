"""Looks at everything that the service depends on, one small check each, and says what to fix."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ocr_service.operations import machine, services
from ocr_service.operations.findings import Finding, broken
from ocr_service.operations.reader import check_reader
from ocr_service.settings import Settings
from ocr_service.storage import open_store


def examine(settings: Settings) -> Iterator[Finding]:
    """Run every check, the quick ones first. A check that breaks is a finding and stops no other."""
    checks: tuple[tuple[str, Callable[[], Finding | list[Finding]]], ...] = (
        ("python", machine.check_python),
        ("opencv", machine.check_distributions),
        ("settings", lambda: machine.check_settings(settings)),
        ("api keys", lambda: machine.check_keys_file(settings.api_keys_file)),
        ("disk", lambda: machine.check_disk(settings.data_dir)),
        ("database", lambda: services.check_database(settings)),
        ("store", lambda: services.check_store(lambda: open_store(settings))),
        ("broker", lambda: services.check_broker(settings)),
        ("reader", lambda: check_reader(settings)),
    )
    for name, check in checks:
        try:
            found = check()
        except Exception as error:
            found = broken(name, f"{type(error).__name__}: {error}", "this is a fault of the check itself: report it")
        yield from found if isinstance(found, list) else [found]
