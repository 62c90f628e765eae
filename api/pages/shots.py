"""Other photos of a draft's grave as the verification page shows them, and what they read that the draft does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from api.i18n import Texts
from ocr_service.database.values import RecordView
from ocr_service.states import VERIFIED_STATES, RecordState
from ocr_service.verification import Proposal


@dataclass(frozen=True, slots=True)
class ShownShot:
    """Another photo: where it stands, whether it follows the decision (``waits``), whether it may be detached."""

    record: int
    version: int
    photo: int
    url: str
    file_name: str
    state: str
    waits: bool
    may_detach: bool


@dataclass(frozen=True, slots=True)
class ShownShots:
    """The other photos of a grave under a heading.

    ``asks``: the grave may have its record; a person says first whether it is the same. ``may_detach``: the photo
    itself may be told apart from them.
    """

    heading: str
    shots: tuple[ShownShot, ...]
    asks: bool
    may_detach: bool


@dataclass(frozen=True, slots=True)
class ShownProposal:
    """Words as cut that another photo shows, and which."""

    text: str
    photo: int
    file_name: str


def show_shots(view: RecordView, texts: Texts, url_of: Callable[[int], str]) -> ShownShots:
    """The other photos of a record's grave; ``url_of`` says where the picture of a photo is served."""
    is_draft = view.state is RecordState.DRAFT
    asks = is_draft and any(other.state in VERIFIED_STATES for other in view.other_shots)
    apart = asks or view.state is RecordState.FURTHER_SHOT
    heading = "shots_verified" if asks else "shots_wait" if is_draft else "shots_kept"
    return ShownShots(
        heading=texts(f"verify.{heading}"),
        shots=tuple(
            ShownShot(
                record=other.record_id,
                version=other.version,
                photo=other.photo_id,
                url=url_of(other.photo_id),
                file_name=other.filename,
                state="" if other.state is RecordState.DRAFT else texts(f"record_state.{other.state}"),
                waits=is_draft and not asks and other.state is RecordState.DRAFT,
                may_detach=not apart and other.state in (RecordState.DRAFT, RecordState.FURTHER_SHOT),
            )
            for other in view.other_shots
        ),
        asks=asks,
        may_detach=apart and bool(view.other_shots),
    )


def show_proposals(found: Sequence[Proposal], cut: str) -> tuple[ShownProposal, ...]:
    """Proposals for a field, but for what its text as cut says already."""
    return tuple(
        ShownProposal(text, one.photo_id, one.filename)
        for one in found
        if (text := " ".join(one.raw.split())).casefold() != cut.casefold()
    )
