from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text
from typer.testing import CliRunner

from ocr_service.cli import app
from ocr_service.database import open_database
from ocr_service.errors import StorageError
from ocr_service.operations import machine, services
from ocr_service.operations.doctor import examine
from ocr_service.operations.findings import Finding, Health
from ocr_service.operations.reader import check_reader
from ocr_service.settings import Settings
from ocr_service.storage import LocalStore

BUNDLE = "headstone-vi-fast"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", bundle=BUNDLE)


def bad(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.health is not Health.OK]


def test_a_sound_installation_has_nothing_to_fix(settings: Settings) -> None:
    open_database(settings.resolved_database_url).close()
    findings = list(examine(settings))
    assert [finding for finding in findings if finding.health is Health.BROKEN] == []
    assert {finding.check for finding in findings} >= {"python", "opencv", "disk", "database", "store", "reader"}


def test_a_fresh_folder_is_no_fault_and_stays_without_a_database(settings: Settings) -> None:
    (finding,) = services.check_database(settings)
    assert finding.health is Health.WARNING
    assert not settings.data_dir.exists()


def test_an_old_python_is_broken() -> None:
    assert machine.check_python((3, 9)).health is Health.BROKEN


@pytest.mark.parametrize(
    "installed",
    [
        set(),
        {"opencv-python"},
        {"opencv-python-headless", "opencv-python"},
        {"opencv-python-headless", "opencv-contrib-python"},
        {"opencv-python-headless", "datasets"},
    ],
)
def test_another_opencv_or_a_package_with_our_name_is_broken(installed: set[str]) -> None:
    finding = machine.check_distributions(frozenset(installed))
    assert finding.health is Health.BROKEN
    assert finding.fix


@pytest.mark.parametrize(
    ("free_bytes", "health"), [(10**12, Health.OK), (2 * 1024**3, Health.WARNING), (10_000, Health.BROKEN)]
)
def test_a_full_disk_is_told_before_photos_are_refused(tmp_path: Path, free_bytes: int, health: Health) -> None:
    assert machine.check_disk(tmp_path / "not" / "there", free_bytes).health is health


def test_keys_that_others_can_read_are_a_warning(tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text('[[key]]\nname = "a"\n')
    keys.chmod(0o640)
    assert machine.check_keys_file(keys).health is Health.OK
    keys.chmod(0o644)
    assert machine.check_keys_file(keys).health is Health.WARNING


@pytest.mark.parametrize("content", [None, "[[key"])
def test_keys_that_cannot_be_read_are_broken(tmp_path: Path, content: str | None) -> None:
    keys = tmp_path / "keys.toml"
    if content is not None:
        keys.write_text(content)
    assert machine.check_keys_file(keys).health is Health.BROKEN


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"host": "0.0.0.0", "allowed_hosts": ("bia.example",)}, "without API keys"),
        ({"lease_s": 30, "photo_timeout_s": 60}, "LEASE"),
        ({"broker_url": "amqp://h//", "s3_endpoint": "s3:1"}, "a broker for workers"),
    ],
)
def test_settings_that_contradict_each_other_are_broken(tmp_path: Path, given: dict[str, Any], says: str) -> None:
    (finding,) = bad(machine.check_settings(Settings(data_dir=tmp_path, **given)))
    assert finding.health is Health.BROKEN
    assert says in finding.seen


def test_more_readers_than_cores_is_a_warning(tmp_path: Path) -> None:
    (finding,) = bad(machine.check_settings(Settings(data_dir=tmp_path, worker_processes=64)))
    assert finding.health is Health.WARNING


@pytest.mark.parametrize("url", ["postgresql+psycopg://u:hidden@127.0.0.1:1/x", "nonsense", "nothing://x/y"])
def test_a_database_out_of_reach_is_broken_and_its_password_not_shown(tmp_path: Path, url: str) -> None:
    (finding,) = services.check_database(Settings(data_dir=tmp_path, database_url=url))
    assert finding.health is Health.BROKEN
    assert "hidden" not in finding.seen + finding.fix


@pytest.mark.parametrize(("revision", "says"), [("0001", "is needed"), ("9999", "newer")])
def test_another_schema_is_broken(place: Any, revision: str, says: str) -> None:
    with place.database.writing() as session:
        session.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))
    findings = services.check_database(Settings(data_dir=place.root, database_url=place.url))
    assert [(finding.health, says in finding.seen) for finding in bad(findings)] == [(Health.BROKEN, True)]


def test_a_database_that_may_only_be_read_is_broken(postgresql: Any) -> None:
    database = open_database(postgresql.create_database("read_only"))
    with database.writing() as session:
        session.execute(text("CREATE ROLE onlooker LOGIN IN ROLE pg_read_all_data"))
    database.close()
    url = make_url(postgresql.url("read_only")).set(username="onlooker").render_as_string()
    (finding,) = bad(services.check_database(Settings(database_url=url)))
    assert (finding.health, "permission denied" in finding.seen) == (Health.BROKEN, True)


def test_a_clock_that_goes_wrong_is_broken(postgresql: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url = postgresql.create_database("clock")
    open_database(url).close()
    monkeypatch.setattr(services, "utc_now", lambda: datetime.now(UTC) + timedelta(minutes=3))
    (finding,) = bad(services.check_database(Settings(database_url=url)))
    assert (finding.check, finding.health) == ("clock", Health.BROKEN)


def test_a_store_that_forgets_is_broken(tmp_path: Path) -> None:
    class Forgetful(LocalStore):
        def read(self, sha256: str) -> bytes:
            return super().read(sha256)[:-1]

    def refused() -> LocalStore:
        raise StorageError("the store does not answer")

    opened: list[Callable[[], LocalStore]] = [lambda: Forgetful(tmp_path), refused]
    assert [services.check_store(open_store).health for open_store in opened] == [Health.BROKEN, Health.BROKEN]


def test_a_broker_that_is_away_is_broken_and_its_password_not_shown(tmp_path: Path) -> None:
    finding = services.check_broker(Settings(data_dir=tmp_path, broker_url="amqp://u:hidden@127.0.0.1:1//"))
    assert finding.health is Health.BROKEN
    assert "hidden" not in finding.seen + finding.fix


def test_without_a_broker_nothing_is_asked(settings: Settings) -> None:
    assert services.check_broker(settings).health is Health.OK


@pytest.mark.parametrize(
    "given", [{"bundle": "nothing"}, {"bundle": BUNDLE, "device": "cuda"}, {"bundle": BUNDLE, "engine": "paddleocr"}]
)
def test_a_reader_that_cannot_be_loaded_is_broken(tmp_path: Path, given: dict[str, Any]) -> None:
    finding = check_reader(Settings(data_dir=tmp_path, **given))
    assert finding.health is Health.BROKEN
    assert finding.fix


def test_a_reader_that_reads_nonsense_is_broken(settings: Settings, tmp_path: Path) -> None:
    from ocr_service.operations.reader import SAMPLE

    sample = tmp_path / "sample.jpg"
    sample.write_bytes(SAMPLE.read_bytes())
    sample.with_suffix(".json").write_text(json.dumps({"lines": ["QUITE OTHER", "WORDS HERE"]}))
    assert check_reader(settings, sample).health is Health.BROKEN


def test_a_check_that_breaks_is_a_finding(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_settings: Settings) -> Finding:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(services, "check_database", breaks)
    monkeypatch.setattr("ocr_service.operations.doctor.check_reader", lambda _: Finding("reader", Health.OK, "-"))
    (finding,) = [found for found in examine(settings) if found.health is Health.BROKEN]
    assert "unforeseen" in finding.seen


def test_the_command_ends_with_1_where_something_is_broken(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the way")
    ended = CliRunner().invoke(app, ["doctor", "--json", "--data", str(tmp_path / "data"), "--bundle", BUNDLE])
    findings = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.exit_code == 1
    assert "broken" in {finding["health"] for finding in findings if finding["check"] == "store"}
    assert [finding["health"] for finding in findings if finding["check"] == "reader"] == ["ok"]
