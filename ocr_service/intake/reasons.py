"""What is wrong with a file and what to do about it, one sentence each, for people."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ocr_service.records import RejectReason
from ocr_service.states import FileState

REJECT_MESSAGES: Mapping[RejectReason, str] = MappingProxyType(
    {
        RejectReason.EMPTY: "The file holds no data; copy it again from the camera or the original.",
        RejectReason.NOT_AN_IMAGE: "The content is no picture; check that this is the file that was meant.",
        RejectReason.UNSUPPORTED_TYPE: "This kind of file cannot be read; save the photo as JPEG or PNG.",
        RejectReason.TRUNCATED: "The picture breaks off or is damaged; copy the file again from the original.",
        RejectReason.ANIMATED: "This is a moving picture or holds several; save the photo on its own.",
        RejectReason.TOO_LARGE_FILE: "The file is too large; save it as JPEG.",
        RejectReason.TOO_MANY_PIXELS: "The picture has too many pixels; save it smaller, or only the stone.",
        RejectReason.TOO_SMALL: "The picture is too small to be read; send the original photo, not its thumbnail.",
        RejectReason.UNREADABLE_FILE: "The file could not be opened; check its permissions and the disk.",
        RejectReason.READER_FAILED: "The reader broke on this photo; retry it, and report its id if that fails again.",
        RejectReason.WITHDRAWN: "Its sender withdrew it before it came; to send it after all, announce it again.",
    }
)

_STATE_MESSAGES: Mapping[FileState, str] = MappingProxyType(
    {
        FileState.ANNOUNCED: "Its bytes have not come; run the upload again.",
        FileState.NEEDS_REPHOTOGRAPH: "The photo, not the stone, kept text from being read; take another.",
    }
)


def what_to_do(state: FileState, reason: RejectReason | None) -> str | None:
    """What a collector should do about a file, None where nothing is to be done."""
    if state in (FileState.REFUSED, FileState.REJECTED, FileState.FAILED) and reason is not None:
        return REJECT_MESSAGES[reason]
    return _STATE_MESSAGES.get(state)
