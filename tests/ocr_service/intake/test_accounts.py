"""Whatever happens to the files of two batches, and however often: each is in exactly one state."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select, update

from ocr_service import intake
from ocr_service.database import connect_database
from ocr_service.database.accounts import FileStanding
from ocr_service.database.announcements import AnnouncedFile, BatchFacts
from ocr_service.database.models import Photo
from ocr_service.intake import accounting, announcing
from ocr_service.intake.taking import Refusal, Taken
from ocr_service.reading.outcome import REPHOTOGRAPH_FLAG
from ocr_service.records import Field, Reading, ReadingStatus, RejectReason
from ocr_service.states import FileState, PhotoState

PATHS = ("A/1.jpg", "A/2.jpg", "B/1.jpg", "B/2.jpg")
HASHES = tuple(f"{number:064x}" for number in range(5))
REFUSED = Refusal(RejectReason.NOT_AN_IMAGE, "The content is no picture.")

batches = st.integers(0, 1)
hashes = st.sampled_from(HASHES)
files = st.lists(
    st.builds(AnnouncedFile, st.sampled_from(PATHS), hashes, st.just(9)), min_size=1, max_size=6, unique=True
)


class Intake(RuleBasedStateMachine):
    """Two batches with files of few names and contents, so that copies within and across them are common."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        path = shutil.copy(self.template, self.folder / "intake.sqlite3")
        self.database = connect_database(f"sqlite:///{path}")
        self.now = datetime(2026, 4, 30, 8, 0, tzinfo=UTC)
        self.batches: list[BatchFacts] = []
        self.known: list[set[tuple[str, str]]] = [set(), set()]
        self.sent: set[str] = set()

    def teardown(self) -> None:
        self.database.close()
        shutil.rmtree(self.folder)

    @initialize()
    def open(self) -> None:
        with self.database.writing() as session:
            for key in ("one", "two"):
                self.batches.append(announcing.open_announced_batch(session, key, "thu", key=key, now=self.now)[0])

    @rule(at=batches, files=files)
    def announce(self, at: int, files: list[AnnouncedFile]) -> None:
        said = self._announce(at, files)
        self.known[at] |= {(file.path, file.sha256) for file in files}
        assert [(file.path, file.sha256) for file in said] == [(file.path, file.sha256) for file in files]
        before = self._rows()
        assert self._announce(at, files) == said
        assert self._rows() == before

    @rule(at=batches, sha256=hashes, refused=st.booleans())
    def send(self, at: int, sha256: str, refused: bool) -> None:
        if not any(sha256 == known for _, known in self.known[at]):
            return
        # the same bytes are judged in the same way wherever they come
        refused = refused and sha256 == HASHES[0]
        if sha256 == HASHES[0] and not refused:
            return
        said = self._settle(at, sha256, refused)
        if said[0].state is not FileState.REFUSED:  # as no photo, or withdrawn under every path
            self.sent.add(sha256)
        before = self._rows()
        assert self._settle(at, sha256, refused) == said
        assert self._rows() == before

    @rule(at=batches, files=files)
    def withdraw(self, at: int, files: list[AnnouncedFile]) -> None:
        before = {(file.path, file.sha256): file for file in self._files(at)}
        names = [(file.path, file.sha256) for file in files]
        with self.database.writing() as session:
            said = announcing.withdraw(session, self.batches[at], names, by="thu", now=self.now)
        assert [(file.path, file.sha256) for file in said] == [name for name in names if name in before]
        for file in said:
            was = before[file.path, file.sha256 or ""]
            if was.state is FileState.ANNOUNCED:
                assert (file.state, file.reason) == (FileState.REFUSED, RejectReason.WITHDRAWN)
            else:
                assert file == was

    @rule(at=batches, files=files)
    def tar(self, at: int, files: list[AnnouncedFile]) -> None:
        with self.database.writing() as session:
            announcing.settle_at_once(session, self.batches[at], [self._member(file) for file in files], by="thu")
        self.known[at] |= {(file.path, file.sha256) for file in files}
        self.sent |= {file.sha256 for file in files} - {HASHES[0]}

    @rule(outcome=st.sampled_from(["read", "blurred", "rejected", "failed", "given up", "left"]), publish=st.booleans())
    def work(self, outcome: str, publish: bool) -> None:
        with self.database.writing() as session:
            if publish:
                session.execute(update(Photo).where(Photo.state == PhotoState.RECEIVED).values(queued_at=self.now))
            for claim in intake.claim_photos(session, "w", limit=1, lease_s=60.0, max_attempts=3, now=self.now):
                begun = intake.begin(session, claim, lease_s=60.0, now=self.now)
                assert begun is not None
                if outcome in ("failed", "given up"):
                    tries = begun.attempts if outcome == "given up" else 9
                    intake.fail(session, begun, "ValueError", max_attempts=tries, now=self.now)
                elif outcome != "left":
                    intake.finish(session, begun, reading_of(begun.sha256, outcome), now=self.now)

    @rule()
    def wait(self) -> None:
        self.now += timedelta(minutes=2)

    @rule(at=batches, reason=st.sampled_from([None, RejectReason.TRUNCATED, RejectReason.READER_FAILED]))
    def retry(self, at: int, reason: RejectReason | None) -> None:
        aside = (FileState.REJECTED, FileState.FAILED)
        due = [file for file in self._files(at) if file.state in aside and (reason is None or file.reason is reason)]
        with self.database.writing() as session:
            assert accounting.retry_batch(session, self.batches[at].id, reason, now=self.now) == len(due)
            assert accounting.retry_batch(session, self.batches[at].id, reason, now=self.now) == 0

    @invariant()
    def every_file_is_in_one_state(self) -> None:
        for at, batch in enumerate(self.batches):
            listed = self._files(at)
            assert Counter((file.path, file.sha256) for file in listed) == Counter(self.known[at])
            with self.database.reading() as session:
                standing = accounting.batch_standing(session, batch, now=self.now).account
            assert {state: files for state, files in standing.counts.items() if files} == Counter(
                file.state for file in listed
            )
            assert standing.files == len(self.known[at])
            assert sum(total.files for total in standing.reasons) == sum(
                standing.counts[state] for state in (FileState.REFUSED, FileState.REJECTED, FileState.FAILED)
            )

    @invariant()
    def every_photo_is_of_one_file(self) -> None:
        with self.database.reading() as session:
            photos = {
                row.sha256: (row.id, row.batch_id)
                for row in session.execute(select(Photo.sha256, Photo.id, Photo.batch_id))
            }
        assert set(photos) == self.sent
        originals: Counter[int] = Counter()
        for at in range(len(self.batches)):
            for file in self._files(at):
                if file.photo_id is None:
                    assert file.state in (FileState.ANNOUNCED, FileState.REFUSED)
                    continue
                assert (file.photo_id, file.photo_batch_id) == photos[file.sha256 or ""]
                if file.state is not FileState.DUPLICATE:
                    originals[file.photo_id] += 1
                    assert file.photo_batch_id == file.batch_id
        assert originals == Counter(photo_id for photo_id, _ in photos.values())

    def _announce(self, at: int, files: list[AnnouncedFile]) -> list[FileStanding]:
        with self.database.writing() as session:
            return announcing.announce(session, self.batches[at], files, by="thu", max_bytes=100, now=self.now)

    def _settle(self, at: int, sha256: str, refused: bool) -> list[FileStanding]:
        outcome = REFUSED if refused else Taken(sha256, 9)
        with self.database.writing() as session:
            return announcing.settle(
                session, [announcing.Delivery(self.batches[at].id, sha256, outcome, "thu")], now=self.now
            )

    def _member(self, file: AnnouncedFile) -> tuple[AnnouncedFile, Taken | Refusal]:
        return file, REFUSED if file.sha256 == HASHES[0] else Taken(file.sha256, 9)

    def _files(self, at: int) -> list[FileStanding]:
        with self.database.reading() as session:
            return accounting.list_files(session, self.batches[at].id, limit=1000)

    def _rows(self) -> list[FileStanding]:
        return [file for at in range(len(self.batches)) for file in self._files(at)]


def reading_of(sha256: str, outcome: str) -> Reading:
    if outcome == "rejected":
        return Reading("a.jpg", sha256, ReadingStatus.REJECTED, RejectReason.TRUNCATED, "breaks off")
    flags = (REPHOTOGRAPH_FLAG,) if outcome == "blurred" else ()
    return Reading("a.jpg", sha256, ReadingStatus.READ, record={"flags": Field(flags)})


def test_every_file_of_every_batch_is_in_exactly_one_state_whatever_happens(sqlite_template: Path) -> None:
    machine = type("IntakeOfTest", (Intake,), {"template": sqlite_template})
    case = machine.TestCase  # type: ignore[attr-defined]
    case.settings = settings(
        max_examples=25,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # twenty steps are short enough to read, and shrinking them takes minutes
    )
    case().runTest()
