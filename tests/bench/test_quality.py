from __future__ import annotations

from bench.kinds import figures
from bench.quality import CAUSES, Trial, score_reason, score_rephotograph
from datasets.bad_photos import Defect
from ocr_service.reading.outcome import REPHOTOGRAPH_FLAG
from ocr_service.records import Field, Reading, ReadingStatus
from preprocess.quality import QualityReason


def trial(defect: Defect | None, lost: float, *reasons: QualityReason, again: bool = False) -> Trial:
    record = {"flags": Field([REPHOTOGRAPH_FLAG] if again else [])}
    reading = Reading("a", "0", ReadingStatus.READ, record=record, quality=tuple(reasons))
    return Trial(defect, lost, lost, None, reading)


def test_every_reason_but_missing_text_has_a_cause_that_is_drawn() -> None:
    assert set(CAUSES) == set(QualityReason) - {QualityReason.NO_TEXT}
    assert frozenset().union(*CAUSES.values()) == frozenset(Defect) - {Defect.WORN}


def test_a_reason_is_right_where_its_defect_cost_text() -> None:
    blurred = QualityReason.BLURRED
    trials = [
        trial(Defect.DEFOCUS, 0.5, blurred),
        trial(Defect.DEFOCUS, 0.0, blurred),  # does no harm
        trial(Defect.SHAKE, 0.3),
        trial(Defect.SHAKE, 0.07, blurred),  # between harm and none: nobody could say
        trial(Defect.DARK, 0.9, blurred),
        trial(None, 0.0),
    ]
    score = score_reason(trials, blurred, CAUSES[blurred])
    assert (score.hits, score.false_alarms, score.misses) == (1, 2, 1)
    assert score.precision == 1 / 3
    assert score.recall == 0.5


def test_a_worn_stone_is_no_reason_to_photograph_again() -> None:
    score = score_rephotograph([trial(Defect.WORN, 0.9, again=True), trial(Defect.FAR, 0.9, again=True)])
    assert (score.hits, score.false_alarms, score.misses) == (1, 1, 0)


def test_figures_of_a_confusion_matrix_count_rows_and_columns() -> None:
    found = figures({("gate", "gate"): 3, ("gate", "other"): 1, ("plan", "gate"): 1, ("headstone", "gate"): 2})
    assert found["gate_recall"] == 0.75
    assert found["gate_precision"] == 0.5
    assert found["graves_lost"] == 2
