"""People look at drafts and decide. Every word of theirs is kept; nothing is overwritten without a trace.

Use cases do not commit; the edge does.
"""

from __future__ import annotations

from ocr_service.verification.corrections import MAX_TEXT_CHARS, Correction, normalised
from ocr_service.verification.decisions import decide, undo
from ocr_service.verification.field_values import CORRECTABLE_FIELDS, DATE_FIELDS, KINDS, is_date
from ocr_service.verification.log import audit_page, history, verify_audit_chain
from ocr_service.verification.proposals import Proposal, contested, proposals, sense
from ocr_service.verification.review import (
    DEFAULT_LEASE_S,
    count_waiting,
    get_record,
    next_draft,
    open_draft,
    open_lead,
    queue,
)

__all__ = [
    "CORRECTABLE_FIELDS",
    "DATE_FIELDS",
    "DEFAULT_LEASE_S",
    "KINDS",
    "MAX_TEXT_CHARS",
    "Correction",
    "Proposal",
    "audit_page",
    "contested",
    "count_waiting",
    "decide",
    "get_record",
    "history",
    "is_date",
    "next_draft",
    "normalised",
    "open_draft",
    "open_lead",
    "proposals",
    "queue",
    "sense",
    "undo",
    "verify_audit_chain",
]
