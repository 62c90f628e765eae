"""What was decided, and whether that still stands as it was written."""

from __future__ import annotations

import dataclasses

from sqlalchemy.orm import Session

from ocr_service.database import audit, drafts
from ocr_service.database.values import ChainReport, DecisionView
from ocr_service.verification.decisions import digest_of


def history(session: Session, record_id: int) -> list[DecisionView]:
    """Everything that was decided on a record, oldest first, for staff. Raises ``NotFoundError``."""
    drafts.get(session, record_id)
    return audit.of_record(session, record_id)


def audit_page(
    session: Session, *, record_id: int | None = None, before_id: int | None = None, limit: int = 50
) -> list[DecisionView]:
    """The audit log, newest first; go on with ``before_id`` of the last one."""
    return audit.page(session, record_id=record_id, before_id=before_id, limit=limit)


def verify_audit_chain(session: Session) -> ChainReport:
    """Whether every decision still is what was written, and every decided record what follows from them."""
    report = audit.verify_audit_chain(session)
    if not report.intact:
        return report
    for row in drafts.decided(session):
        last = audit.last_state(session, row.id)
        digest = digest_of(drafts.fields_of(row))
        if last is None or (last.after, last.evidence["fields_sha256"]) != (str(row.state), digest):
            problem = f"record {row.id} is not what was decided"
            return dataclasses.replace(report, intact=False, broken_at=last.id if last else None, problem=problem)
    return report
