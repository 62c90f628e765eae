"""Photos come in, are handed to readers, and come back as drafts for verification.

Use cases do not commit; the edge does.
"""

from __future__ import annotations

from ocr_service.intake.claims import (
    begin,
    claim_photos,
    fail,
    finish,
    give_back_claims,
    has_work,
    release,
    store_reading,
)
from ocr_service.intake.following import count_photos, find_photo, get_photo, get_reading, list_photos, retry
from ocr_service.intake.receiving import ReceivedPhoto, open_batch, receive
from ocr_service.intake.taking import DEFAULT_MAX_BYTES, Refusal, Taking, take

__all__ = [
    "DEFAULT_MAX_BYTES",
    "ReceivedPhoto",
    "Refusal",
    "Taking",
    "begin",
    "claim_photos",
    "count_photos",
    "fail",
    "find_photo",
    "finish",
    "get_photo",
    "get_reading",
    "give_back_claims",
    "has_work",
    "list_photos",
    "open_batch",
    "receive",
    "release",
    "retry",
    "store_reading",
    "take",
]
