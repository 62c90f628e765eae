from __future__ import annotations

import hashlib
from pathlib import Path

from typer.testing import CliRunner

from ocr_service import intake
from ocr_service.cli import app
from ocr_service.database import open_database
from ocr_service.settings import Settings
from ocr_service.storage import LocalStore, object_path

PHOTO = b"\xff\xd8\xff\xe0 photo"


def run(*arguments: object) -> tuple[int, str]:
    ended = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return ended.exit_code, ended.stderr


def receive(data: Path) -> Path:
    settings = Settings(data_dir=data)
    database = open_database(settings.resolved_database_url)
    with database.writing() as session:
        intake.receive(session, LocalStore(settings.objects_dir), PHOTO, filename="a.jpg", received_by="thu")
    database.close()
    return object_path(settings.objects_dir, hashlib.sha256(PHOTO).hexdigest())


def test_out_and_back_in(tmp_path: Path) -> None:
    kept = receive(tmp_path / "data")
    code, said = run("backup", tmp_path / "out", "--data", tmp_path / "data", "--verify")
    assert (code, "restored and compared" in said) == (0, True)
    code, said = run("restore", tmp_path / "out", "--data", tmp_path / "new")
    assert (code, "1 photos" in said) == (0, True)
    assert object_path(tmp_path / "new" / "objects", kept.name).read_bytes() == PHOTO


def test_a_lost_photo_ends_with_1(tmp_path: Path) -> None:
    receive(tmp_path / "data").unlink()
    code, said = run("backup", tmp_path / "out", "--data", tmp_path / "data")
    assert (code, "missing" in said) == (1, True)


def test_migrating_twice_does_nothing(tmp_path: Path) -> None:
    runner = CliRunner(env={"HEADSTONE_DATA_DIR": str(tmp_path / "data")})
    said = [runner.invoke(app, ["migrate"]).stdout for _ in range(2)]
    assert said[0] == said[1]
    assert "revision 0" in said[0]
