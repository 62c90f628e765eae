"""What a collector changes between announcing a folder and sending it: facts, bytes, files that are gone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from ocr_service.states import FileState
from ocr_service.upload import Ending, Outcome
from ocr_service.upload.line import StoppedError

FIRST = "hàng 0/IMG_0000.jpg"


@pytest.fixture
def announce_only(send: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Announces a folder; the line breaks before the first byte."""

    def broken(*_: Any, **__: Any) -> None:
        raise StoppedError

    def run(folder: Path, **options: Any) -> Outcome:
        with monkeypatch.context() as patch:
            patch.setattr("ocr_service.upload.run.send_all", broken)
            outcome: Outcome = send(folder, **options)
        assert outcome.ending is Ending.INTERRUPTED
        return outcome

    return run


def files_of(service: Any, state: str) -> dict[str, Any]:
    asked = {"state": state, "limit": "100"}
    found = httpx.get(f"{service.address}/api/v1/batches/1/files", params=asked).json()["items"]
    return {file["path"]: file for file in found}


def plots(service: Any) -> dict[str, str | None]:
    received = files_of(service, "received")
    return {
        path: httpx.get(f"{service.address}/api/v1/photos/{file['photo_id']}").json()["context"]["plot"]
        for path, file in received.items()
    }


def test_a_corrected_manifest_reaches_files_that_have_not_come(
    service: Any, send: Any, announce_only: Any, photos: Path, tmp_path: Path
) -> None:
    table = tmp_path / "plots.csv"
    table.write_text("file,plot,date\nIMG_0000.jpg,A-71,2025-07-27\nIMG_0003.jpg,A-3,\n", "utf-8")
    announce_only(photos, manifest=table)
    table.write_text("file,plot\nIMG_0000.jpg,A-17\nIMG_0003.jpg,A-3\nIMG_0006.jpg,A-6\n", "utf-8")
    (problem,) = send(photos, manifest=table).problems
    assert (problem.path, problem.state) == (FIRST, "not_changed")  # a date that was said is not unsaid
    found = plots(service)
    assert [found[FIRST], found["hàng 0/IMG_0003.jpg"], found["hàng 0/IMG_0006.jpg"]] == ["A-17", "A-3", "A-6"]
    assert send(photos).problems == ()  # without the manifest, nothing is said otherwise


def test_what_was_announced_of_other_bytes_is_taken_back(
    service: Any, send: Any, announce_only: Any, photos: Path, hashes: Any, jpeg: Any
) -> None:
    announce_only(photos)
    (photos / FIRST).write_bytes(jpeg(500, filling_bytes=7))
    outcome = send(photos)
    assert (outcome.counts, outcome.problems) == ({FileState.RECEIVED: 12}, ())
    assert (service.stored(), files_of(service, "announced")) == (hashes(photos), {})
    assert [path for path, file in files_of(service, "refused").items() if "withdrew" in file["problem"]["detail"]] == [
        FIRST
    ]


def test_a_file_that_is_gone_is_waited_for_until_it_is_withdrawn_and_may_come_back(
    service: Any, send: Any, announce_only: Any, photos: Path, hashes: Any
) -> None:
    announce_only(photos)
    kept = (photos / FIRST).read_bytes()
    (photos / FIRST).unlink()
    (problem,) = send(photos).problems
    assert (problem.path, problem.state) == (FIRST, "not_sent") and "--withdraw-missing" in problem.reason
    assert set(files_of(service, "announced")) == {FIRST}
    assert send(photos, withdraw_missing=True).problems == ()
    assert (set(files_of(service, "announced")), set(files_of(service, "refused"))) == (set(), {FIRST})
    (photos / FIRST).write_bytes(kept)
    assert send(photos).counts == {FileState.RECEIVED: 12}
    assert service.stored() == hashes(photos)


def test_files_of_a_folder_that_cannot_be_opened_are_not_taken_for_gone(
    service: Any, send: Any, announce_only: Any, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce_only(photos)
    scandir = os.scandir

    def refusing(where: Any = ".") -> Any:
        if Path(where).name == "hàng 0":
            raise PermissionError(13, "Permission denied")
        return scandir(where)

    with monkeypatch.context() as patch:
        patch.setattr("ocr_service.upload.folder.os.scandir", refusing)
        problems = send(photos, withdraw_missing=True).problems
    assert {problem.state for problem in problems} == {"left_out", "not_sent"}
    assert len(files_of(service, "announced")) == 4


def test_a_file_that_was_too_large_is_sent_once_the_limit_is_raised(
    service: Any, send: Any, photos: Path, hashes: Any, jpeg: Any
) -> None:
    (photos / "large.jpg").write_bytes(jpeg(1, filling_bytes=100_000))
    (problem,) = send(photos).problems
    assert (problem.path, problem.state) == ("large.jpg", "refused")
    service.app.state.settings = service.settings.model_copy(update={"max_file_bytes": 200_000})
    again = send(photos)
    assert (again.counts, again.problems) == ({FileState.RECEIVED: 13}, ())
    assert service.stored() == hashes(photos)
