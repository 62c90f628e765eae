from __future__ import annotations

from prometheus_client.registry import REGISTRY

from ocr_service.intake.counting import count_file
from ocr_service.intake.taking import Refusal, Taken
from ocr_service.records import Origin, RejectReason


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"headstone_intake_{name}_total", labels) or 0.0


def test_each_file_is_counted_once_by_what_became_of_it() -> None:
    before = [counted("files", state=state) for state in ("received", "duplicate", "refused")]
    bytes_before = counted("bytes")
    taken = Taken("a" * 64, 500, Origin())
    count_file(taken, duplicate=False)
    count_file(taken, duplicate=True)
    count_file(Refusal(RejectReason.EMPTY, "no bytes"), duplicate=False)
    after = [counted("files", state=state) for state in ("received", "duplicate", "refused")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1]
    assert counted("bytes") == bytes_before + 1000
    assert counted("refused", reason="empty") >= 1
