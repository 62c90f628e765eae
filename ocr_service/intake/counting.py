"""What came in, counted for Prometheus where it is noted, whichever way it came."""

from __future__ import annotations

from ocr_service import metrics
from ocr_service.intake.taking import Refusal, Taken
from ocr_service.states import FileState


def count_file(outcome: Taken | Refusal, *, duplicate: bool) -> None:
    """Count one file that was handed in; ``duplicate`` is one whose bytes were known."""
    if isinstance(outcome, Refusal):
        metrics.FILES_TAKEN.labels(state=str(FileState.REFUSED)).inc()
        metrics.FILES_REFUSED.labels(reason=str(outcome.reason)).inc()
        return
    metrics.FILES_TAKEN.labels(state=str(FileState.DUPLICATE if duplicate else FileState.RECEIVED)).inc()
    metrics.BYTES_TAKEN.inc(outcome.size_bytes)
