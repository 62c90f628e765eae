"""Other readings beside a misread text, as the shipped reader gives them; and the count of what it gives.

``python -m bench.rivals FOLDER`` counts on the held-out stones and readings that ``python -m
ocr_service.evaluation.calibrate_fields FOLDER`` keeps; the numbers below are from 500 of them, ``headstone-vi@0.2.0``:
3,131 lines paired with their truth, 308 of them wrong. Dashes of any length count as one, spaces around signs as none.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from bench.misreadings import MisreadText, look_alike
from models.metrics import comparable, edit_distance, pair_lines
from ocr_service.evaluation.truth import load_truth
from ocr_service.fields.text import clean
from ocr_service.journal import Journal
from ocr_service.records import Alternative, Line, Quad

_NOWHERE: Quad = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0))
# How often the right text is among the other readings of a line with one letter wrong, by what became of it; and of a
# line with two or three wrong. Of 72 lines with more it never was.
_AMONG = {"exchanged": 63 / 83, "added": 10 / 17, "lost": 12 / 52}
_AMONG_BY_EDITS = {2: 14 / 56, 3: 1 / 28}
# Of lines with several letters wrong, those where some other reading has fewer wrong.
_NEARER = 93 / 156
_RANKS = (70, 17, 7, 6)  # the right text was the first of the other readings, the second, the third, a later one
_READINGS = 5
_RIGHT_WITH_RIVALS = 0.52  # of lines that are right, those with other readings at all
# Quantiles 0, 10, 25, 50, 75, 90, 100 %: confidence of wrong and right lines; score of the right text, and of the first
# other reading of a right line, as a share of the line's confidence.
_STEPS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
_WRONG = (0.003, 0.102, 0.353, 0.558, 0.792, 0.945, 0.998)
_RIGHT = (0.084, 0.869, 0.965, 0.998, 0.998, 0.999, 0.999)
_SCORE = (0.002, 0.009, 0.025, 0.164, 0.524, 0.65, 0.704)
_SCORE_BESIDE_RIGHT = (0.0, 0.0, 0.0, 0.006, 0.04, 0.236, 0.833)


def as_read(noisy: MisreadText, rng: Random) -> list[Line]:
    """The lines of a misread text with confidences and other readings as often right as the reader's own.

    Wrong ones are the text as misread with one more letter taken for one like it, as a beam search has them; of a line
    with several letters wrong one may have fewer.
    """
    lines, start = [], 0
    for cut in noisy.clean.split("\n"):
        lines.append(_line(cut, noisy.became[start : start + len(cut)], rng))
        start += len(cut) + 1
    return lines


def _line(cut: str, became: Sequence[str], rng: Random) -> Line:
    read = "".join(became)
    wrong = [place for place, char in enumerate(cut) if became[place] != char]
    confidence = _drawn(_WRONG if wrong else _RIGHT, rng)
    if not wrong:
        count = 3 if rng.random() < _RIGHT_WITH_RIVALS else 0
        return Line(
            read, confidence, _NOWHERE, 0, _scored(_beside(read, count, rng), 0, _SCORE_BESIDE_RIGHT, confidence, rng)
        )
    others = _beside(read, _READINGS, rng)
    if len(wrong) > 1 and rng.random() < _NEARER:
        mended = rng.choice(wrong)
        others[rng.randrange(_READINGS)] = "".join(cut[i] if i == mended else char for i, char in enumerate(became))
    place = 0
    if rng.random() < _chance_among([became[place] for place in wrong]):
        place = min(rng.choices(range(len(_RANKS)), _RANKS)[0], _READINGS - 1)
        others[place] = cut
    return Line(read, confidence, _NOWHERE, 0, _scored(others, place, _SCORE, confidence, rng))


def _chance_among(wrong: Sequence[str]) -> float:
    if len(wrong) > 1:
        return _AMONG_BY_EDITS.get(len(wrong), 0.0)
    return _AMONG["lost" if not wrong[0] else "added" if len(wrong[0]) > 1 else "exchanged"]


def _beside(read: str, count: int, rng: Random) -> list[str]:
    letters = [place for place, char in enumerate(read) if not char.isspace()]
    places = [rng.choice(letters) for _ in range(count)] if letters else []
    return [read[:place] + look_alike(read[place], rng) + read[place + 1 :] for place in places]


def _scored(
    texts: Sequence[str], place: int, shares: Sequence[float], confidence: float, rng: Random
) -> tuple[Alternative, ...]:
    """The texts with falling scores, the one at ``place`` with a score drawn from what was counted."""
    score = confidence * _drawn(shares, rng)
    scores = [score * (1 + rng.random()) for _ in texts[:place]] + [
        score,
        *(score * rng.random() for _ in texts[place + 1 :]),
    ]
    scores[:place], scores[place + 1 :] = (
        sorted(scores[:place], reverse=True),
        sorted(scores[place + 1 :], reverse=True),
    )
    return tuple(Alternative(text, min(given, 1.0)) for text, given in zip(texts, scores, strict=False))


def _drawn(quantiles: Sequence[float], rng: Random) -> float:
    return float(np.interp(rng.random(), _STEPS, quantiles))


@dataclass(frozen=True, slots=True)
class Pair:
    """A line as it is cut and as it was read."""

    cut: str
    read: Line


def count(pairs: Iterable[Pair]) -> dict[str, object]:
    """What stands beside right and wrong lines."""
    wrong, among, several, nearer = Counter[object](), Counter[object](), 0, 0
    ranks = Counter[int]()
    scores: dict[str, list[float]] = {"wrong": [], "right": [], "score": [], "score beside right": []}
    beside = Counter[bool]()
    letters = errors = 0
    for pair in pairs:
        cut, read = _plain(pair.cut), _plain(pair.read.text)
        others = [_plain(other.text) for other in pair.read.alternatives]
        distance = edit_distance(cut, read)
        letters, errors = letters + len(cut), errors + distance
        scores["wrong" if distance else "right"].append(pair.read.confidence)
        if not distance:
            beside[bool(others)] += 1
            scores["score beside right"] += [other.score / pair.read.confidence for other in pair.read.alternatives[:1]]
            continue
        kind: object = _kind(cut, read) if distance == 1 else min(distance, 4)
        wrong[kind] += 1
        if distance > 1:
            several += 1
            nearer += any(edit_distance(cut, other) < distance for other in others)
        if cut in others:
            among[kind] += 1
            ranks[others.index(cut)] += 1
            scores["score"].append(pair.read.alternatives[others.index(cut)].score / max(pair.read.confidence, 1e-3))
    return {
        "letters wrong": errors / max(1, letters),
        "among": {str(kind): f"{among[kind]} of {total}" for kind, total in wrong.items()},
        "nearer": f"{nearer} of {several}",
        "ranks": sorted(ranks.items()),
        "right lines with other readings": beside[True] / max(1, beside.total()),
        **{
            name: [round(float(x), 3) for x in np.quantile(values, _STEPS)] for name, values in scores.items() if values
        },
    }


def _plain(text: str) -> str:
    return comparable(clean(text))


def _kind(cut: str, read: str) -> str:
    return "exchanged" if len(cut) == len(read) else "added" if len(read) > len(cut) else "lost"


def kept_pairs(folder: Path) -> list[Pair]:
    """Lines of the stones in ``folder`` with what was read of them, as far as they share half of their letters."""
    truth = {stone.path.name: stone for stone in load_truth(folder / "stones")}
    pairs = list[Pair]()
    for path in sorted(folder.glob("readings-*.jsonl"))[-1:]:
        with Journal(path) as journal:
            readings = journal.readings
        for name, reading in readings.items():
            cut, read = truth[name].lines, reading.lines
            paired = pair_lines([_plain(text) for text in cut], [_plain(line.text) for line in read])
            pairs += [Pair(cut[row], read[column]) for row, column in paired if column is not None]
    return [pair for pair in pairs if edit_distance(_plain(pair.cut), _plain(pair.read.text)) <= len(pair.cut) / 2]


def main() -> None:
    """Print what the reader's other readings hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where calibrate_fields keeps its stones and readings")
    for name, value in count(kept_pairs(parser.parse_args().folder)).items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
