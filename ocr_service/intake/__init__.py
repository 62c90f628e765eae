"""Photos come in, are handed to readers, and come back as drafts for verification.

Use cases do not commit; the edge does.
"""

from __future__ import annotations

from ocr_service.intake.claims import (
    begin,
    begin_many,
    claim_photos,
    fail,
    finish,
    finish_many,
    give_back_claims,
    give_back_expired,
    has_work,
    release,
    store_reading,
)
from ocr_service.intake.following import count_photos, find_photo, get_photo, get_reading, list_photos, retry
from ocr_service.intake.publishing import photos_to_publish
from ocr_service.intake.receiving import ReceivedPhoto, note_received, open_batch, receive
from ocr_service.intake.shots import group_shots
from ocr_service.intake.taking import DEFAULT_MAX_BYTES, Refusal, Taken, Taking, take

__all__ = [
    "DEFAULT_MAX_BYTES",
    "ReceivedPhoto",
    "Refusal",
    "Taken",
    "Taking",
    "begin",
    "begin_many",
    "claim_photos",
    "count_photos",
    "fail",
    "find_photo",
    "finish",
    "finish_many",
    "get_photo",
    "get_reading",
    "give_back_claims",
    "give_back_expired",
    "group_shots",
    "has_work",
    "list_photos",
    "note_received",
    "open_batch",
    "photos_to_publish",
    "receive",
    "release",
    "retry",
    "store_reading",
    "take",
]
