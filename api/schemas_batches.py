"""What the routes of bulk intake take and give."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from api.plain_text import plain_text
from api.problems import Problem, file_problem
from ocr_service.database.accounts import BatchAccount, FileStanding
from ocr_service.errors import UsageError
from ocr_service.intake.announcing import MAX_FILES_ANNOUNCED, MAX_PATH_CHARS, path_label
from ocr_service.intake.reasons import REJECT_MESSAGES, what_to_do
from ocr_service.records import RejectReason
from ocr_service.states import FileState, PhotoState, Priority


def _plain(value: Any) -> Any:
    return plain_text(value) if isinstance(value, str) else value


def _label(path: str) -> str:
    try:
        return path_label(path)
    except UsageError as error:
        raise ValueError(str(error)) from error


def _day_or_instant(value: Any) -> date | datetime:
    """A day stays a day: nobody said that the photo was taken at midnight."""
    if not isinstance(value, str):
        raise ValueError("a date or a date with its time is text; write 2025-07-27 or 2025-07-27T08:05:00")
    try:
        return date.fromisoformat(value)
    except ValueError:
        return datetime.fromisoformat(value)


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Words = Annotated[str, BeforeValidator(_plain), StringConstraints(min_length=1, max_length=200)]
FilePath = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PATH_CHARS), AfterValidator(_label)]
TakenAt = Annotated[date | datetime, BeforeValidator(_day_or_instant)]
PriorityName = Literal["bulk", "waiting"]

_PRIORITIES: dict[PriorityName, Priority] = {"bulk": Priority.BULK, "waiting": Priority.WAITING}
_SHA256_EXAMPLE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class BatchRequest(BaseModel):
    """A batch to be opened; what it says of place and origin holds for every file that does not say otherwise."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "label": "NTLS Tân Phú, khu A",
                    "key": "usb-2026-04-30",
                    "cemetery": "NTLS Tân Phú",
                    "province": "Bến Tre",
                }
            ]
        },
    )

    label: Words
    key: str | None = Field(
        default=None,
        pattern=r"^[\x21-\x7e]{1,64}$",
        description="Chosen by the client: opening a batch with the same key again finds it.",
    )
    cemetery: Words | None = None
    province: Words | None = None
    commune: Words | None = None
    collector: Words | None = Field(default=None, description="Who took the photos.")
    device: Words | None = Field(
        default=None, description="Camera or phone; what EXIF says is kept where this is null."
    )
    priority: PriorityName = "bulk"

    def priority_value(self) -> Priority:
        """The priority as the queue knows it."""
        return _PRIORITIES[self.priority]


class ReasonCount(BaseModel):
    """How many files stand in a state for one reason."""

    state: FileState
    reason: RejectReason
    files: int
    message: str = Field(description="What is wrong and what to do, for people.")


class Batch(BaseModel):
    """A batch and its account: every file is in exactly one state, so the counts add up to ``files_total``."""

    id: int
    label: str
    key: str | None
    created_by: str
    created_at: datetime
    priority: PriorityName
    cemetery: str | None
    province: str | None
    commune: str | None
    collector: str | None
    device: str | None
    files_total: int
    size_bytes: int = Field(description="Of all files, also of those that are only announced.")
    counts: dict[FileState, int] = Field(description="Files by state; every state is there.")
    read_per_minute: float = Field(description="Photos read a minute, over the last five minutes.")
    reasons: list[ReasonCount] = Field(description="Why files were refused, rejected or failed, most frequent first.")
    oldest_announced_at: datetime | None = Field(description="Since when the oldest file is waited for.")


class BatchPage(BaseModel):
    """Batches, newest first."""

    items: list[Batch]
    next_cursor: str | None


class AnnouncedFile(BaseModel):
    """A file that is to come. What it says of place and origin goes before what its batch says.

    Announced again, what it says goes before what was said, until its bytes have come; what is left out stays.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"path": "khu A/IMG_0412.jpg", "sha256": _SHA256_EXAMPLE, "size_bytes": 2_410_338, "plot": "A-17"}
            ]
        },
    )

    path: FilePath = Field(description="Below the collector's folder; a label, kept in NFC with slashes.")
    sha256: Sha256
    size_bytes: int = Field(ge=0, le=2**62)
    plot: Words | None = None
    cemetery: Words | None = None
    province: Words | None = None
    commune: Words | None = None
    collector: Words | None = None
    device: Words | None = None
    taken_at: TakenAt | None = Field(default=None, description="A day, or local time where no offset is written.")
    latitude_deg: float | None = Field(default=None, ge=-90, le=90, description="WGS 84.")
    longitude_deg: float | None = Field(default=None, ge=-180, le=180)


class Announcement(BaseModel):
    """Files that are to come."""

    model_config = ConfigDict(extra="forbid")

    files: list[AnnouncedFile] = Field(min_length=1, max_length=MAX_FILES_ANNOUNCED)


class WithdrawnFile(BaseModel):
    """A file that was announced and will not come."""

    model_config = ConfigDict(extra="forbid")

    path: FilePath
    sha256: Sha256


class Withdrawal(BaseModel):
    """Files that will not come."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"files": [{"path": "khu A/IMG_0412.jpg", "sha256": _SHA256_EXAMPLE}]}]},
    )

    files: list[WithdrawnFile] = Field(min_length=1, max_length=MAX_FILES_ANNOUNCED)


class Completion(BaseModel):
    """Files whose bytes were put into the object store."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"sha256": [_SHA256_EXAMPLE]}]})

    sha256: list[Sha256] = Field(min_length=1, max_length=MAX_FILES_ANNOUNCED)


class UploadTarget(BaseModel):
    """Where the bytes of a file are wanted."""

    method: Literal["PUT"] = "PUT"
    url: str = Field(description="Absolute, or a path of this service.")
    headers: dict[str, str] = Field(description="To be sent with the bytes.")
    complete: bool = Field(description="The bytes go to the object store: say afterwards which files are complete.")
    expires_s: int | None = Field(description="For how long; announce again for a new one. Null: for ever.")


class BatchFile(BaseModel):
    """A file of a batch and where it stands."""

    path: str
    sha256: str | None
    size_bytes: int | None
    state: FileState
    photo_id: int | None = Field(description="The photo that it became, or that it has the same bytes as.")
    photo_batch_id: int | None = Field(description="The batch of that photo.")
    photo_state: PhotoState | None = Field(description="Where that photo stands.")
    problem: Problem | None = Field(description="Why it was refused, rejected or failed.")
    advice: str | None = Field(description="What to do about it; null where nothing is to be done.")
    announced_at: datetime
    changed_at: datetime
    upload: UploadTarget | None = Field(
        default=None, description="Where its bytes are wanted; null where they are not."
    )
    too_late: bool = Field(
        default=False,
        description="Announcing alone: what was said of it now is not what holds, for its bytes had come, or it was "
        "refused. What was said then holds; correct it on the pages.",
    )

    @classmethod
    def of(cls, file: FileStanding, upload: UploadTarget | None = None, problem: Problem | None = None) -> Self:
        """The file as the API shows it; ``problem`` goes before its own."""
        return cls(
            path=file.path,
            sha256=file.sha256,
            size_bytes=file.size_bytes,
            state=file.state,
            photo_id=file.photo_id,
            photo_batch_id=file.photo_batch_id,
            photo_state=file.photo_state,
            problem=problem or (None if file.reason is None else file_problem(file.reason, file.detail)),
            advice=what_to_do(file.state, file.reason),
            announced_at=file.announced_at,
            changed_at=file.changed_at,
            upload=upload,
            too_late=file.too_late,
        )


class BatchFiles(BaseModel):
    """Files of a batch, in the order in which they were asked for."""

    files: list[BatchFile]


class BatchFilePage(BaseModel):
    """Files of a batch, in the order in which they were announced."""

    items: list[BatchFile]
    next_cursor: str | None


class TarReceipt(BaseModel):
    """What became of the members of a tar. The batch's own list and receipt name every one of them."""

    files: int = Field(description="How many members were taken in or refused.")
    counts: dict[FileState, int] = Field(description="The same by state; only states that occur.")
    refused: list[BatchFile] = Field(description="Those that were refused, the first thousand of them.")


class Retried(BaseModel):
    """How many photos went back into the queue."""

    photos: int


def batch_of(account: BatchAccount, read_per_minute: float) -> Batch:
    """The batch as the API shows it."""
    batch = account.batch
    return Batch(
        id=batch.id,
        label=batch.label,
        key=batch.key,
        created_by=batch.created_by,
        created_at=batch.created_at,
        priority="waiting" if batch.priority is Priority.WAITING else "bulk",
        cemetery=batch.context.cemetery,
        province=batch.context.cemetery_province,
        commune=batch.context.cemetery_commune,
        collector=batch.origin.collector,
        device=batch.origin.device,
        files_total=account.files,
        size_bytes=account.size_bytes,
        counts=dict(account.counts),
        read_per_minute=read_per_minute,
        reasons=[
            ReasonCount(
                state=total.state, reason=total.reason, files=total.files, message=REJECT_MESSAGES[total.reason]
            )
            for total in account.reasons
        ],
        oldest_announced_at=account.oldest_announced_at,
    )
