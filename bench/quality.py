"""How rightly photos are called spoilt, reason by reason, and what becomes of stones that nobody can read.

Rendered stones in fonts that no threshold was set on, each spoilt in every way of ``datasets.bad_photos`` in a random
strength. A defect counts as present where the reader lost at least a tenth of the characters to it, as absent where it
lost less than a twentieth; between the two nobody could say who is right, and the photo is left out for that reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import cv2
from rich.console import Console
from rich.table import Table

from datasets.bad_photos import Defect, spoil
from datasets.dice import Dice
from datasets.stones import StoneRequest, make_stone
from datasets.textures import Image
from models.metrics import line_errors
from ocr_service.certainty import certain_from
from ocr_service.reading import Reader, load_reader, read_photo
from ocr_service.reading.outcome import Outcome, needs_rephotograph, outcome
from ocr_service.records import Reading
from preprocess.quality import QualityReason

SEED = 82_000
STONES = 40
_PRESENT, _ABSENT = 0.10, 0.05
_LOST = 0.75  # characters lost: a stone that nobody could read

CAUSES: Mapping[QualityReason, frozenset[Defect]] = {
    QualityReason.BLURRED: frozenset({Defect.DEFOCUS, Defect.SHAKE}),
    QualityReason.TOO_DARK: frozenset({Defect.DARK}),
    QualityReason.TOO_BRIGHT: frozenset({Defect.BRIGHT}),
    QualityReason.GLARE: frozenset({Defect.GLARE}),
    QualityReason.CUT_OFF: frozenset({Defect.CUT_OFF}),
    QualityReason.TOO_SMALL: frozenset({Defect.FAR}),
    QualityReason.TOO_OBLIQUE: frozenset({Defect.OBLIQUE}),
    QualityReason.COVERED: frozenset({Defect.COVERED}),
}
_FAULTS = frozenset(Defect) - {Defect.WORN}  # a worn stone is no fault of its photo


@dataclass(frozen=True, slots=True)
class Trial:
    """One photo, what was done to it (None: nothing), what it cost, and what was said of it."""

    defect: Defect | None
    lost: float
    cer: float
    name: str | None
    reading: Reading


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of a yes or no question."""

    hits: int = 0
    false_alarms: int = 0
    misses: int = 0

    @property
    def precision(self) -> float:
        """Return the share of alarms that were right; 1 without alarms."""
        return self.hits / (self.hits + self.false_alarms) if self.hits + self.false_alarms else 1.0

    @property
    def recall(self) -> float:
        """Return the share of present cases that were found; 1 without any."""
        return self.hits / (self.hits + self.misses) if self.hits + self.misses else 1.0


def run(console: Console) -> Mapping[str, float]:
    """Read all photos, print the tables, and return the figures."""
    reader = load_reader()
    trials = [trial for index in range(STONES) for trial in try_stone(index, reader)]
    scores = {str(reason): score_reason(trials, reason, causes) for reason, causes in CAUSES.items()}
    scores["needs_rephotograph"] = score_rephotograph(trials)
    table = Table("reason", "present", "precision", "recall", title=f"{len(trials)} photos of {STONES} stones")
    for name, score in scores.items():
        table.add_row(name, f"{score.hits + score.misses}", f"{score.precision:.2f}", f"{score.recall:.2f}")
    console.print(table)
    figures = {f"{name}_precision": round(score.precision, 3) for name, score in scores.items()}
    figures |= {f"{name}_recall": round(score.recall, 3) for name, score in scores.items()}
    return (
        figures
        | {f"{name}_photos": float(s.hits + s.misses) for name, s in scores.items()}
        | _unreadable(trials, console)
    )


def try_stone(index: int, reader: Reader) -> Iterator[Trial]:
    """A stone as it is, and spoilt in every way."""
    request = StoneRequest(hardness=0.3, held_out=True, watermark=False)
    photo = make_stone(Random(SEED + index), request)
    reading, cer = _read(photo.image, photo.texts, reader)
    name = photo.inscription.truth.name
    yield Trial(None, 0.0, cer, name, reading)
    for place, defect in enumerate(Defect):
        dice = Dice.of(Random(SEED + index + 1000 * (place + 1)))
        spoilt = spoil(dice, photo, defect, dice.uniform(0, 1))
        bad, bad_cer = _read(spoilt.image, photo.texts, reader)
        yield Trial(defect, bad_cer - cer, bad_cer, name, bad)


def _read(image: Image, texts: Sequence[str], reader: Reader) -> tuple[Reading, float]:
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
    reading = read_photo(data, "photo.jpg", reader)
    return reading, line_errors(texts, [line.text for line in reading.lines]).cer


def score_reason(trials: Sequence[Trial], reason: QualityReason, causes: frozenset[Defect]) -> Score:
    """How rightly one reason is given."""
    cases = [
        (trial.defect in causes and trial.lost >= _PRESENT, str(reason) in trial.reading.quality)
        for trial in trials
        if trial.defect not in causes or not _ABSENT <= trial.lost < _PRESENT
    ]
    return _score(cases)


def score_rephotograph(trials: Sequence[Trial]) -> Score:
    """How rightly a photo is asked to be taken again."""
    return _score(
        [
            (trial.defect in _FAULTS and trial.lost >= _PRESENT, needs_rephotograph(trial.reading))
            for trial in trials
            if trial.defect not in _FAULTS or not _ABSENT <= trial.lost < _PRESENT
        ]
    )


def _score(cases: Sequence[tuple[bool, bool]]) -> Score:
    return Score(
        sum(true and said for true, said in cases),
        sum(said and not true for true, said in cases),
        sum(true and not said for true, said in cases),
    )


def _unreadable(trials: Sequence[Trial], console: Console) -> dict[str, float]:
    """What becomes of photos of which next to nothing could be read."""
    lost = [trial for trial in trials if trial.cer >= _LOST]
    honest = [t for t in lost if outcome(t.reading) is Outcome.ILLEGIBLE or needs_rephotograph(t.reading)]
    unknown = [t for t in lost if outcome(t.reading) is Outcome.UNKNOWN and t.name is not None]
    named = [trial for trial in lost if _names_wrongly(trial)]
    figures = {
        "unreadable": float(len(lost)),
        "unreadable_illegible_or_rephotograph": float(len(honest)),
        "unreadable_called_unknown": float(len(unknown)),
        "unreadable_wrong_name_certain": float(len(named)),
    }
    table = Table("photos of which three quarters of the text were lost", "count")
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), f"{value:.0f}")
    console.print(table)
    return figures


def _names_wrongly(trial: Trial) -> bool:
    field = trial.reading.record.get("name")
    if field is None or field.value is None or field.confidence < certain_from("name"):
        return False
    return bool(field.value != trial.name)
