"""Several photos of one grave: which belong together, which shows it best, what all of them say.

Photographers take two to three shots of a grave, one after the other. Shots are told together by what was read, among
neighbours in the upload order alone: full names and whole inscriptions repeat within a cemetery, and stones of the
unknown say the same on every grave, so nothing is ever joined across a collection or for want of a difference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rapidfuzz.distance import Indel

from models.metrics import comparable, edit_distance, pair_lines
from ocr_service.fields import parse_lines
from ocr_service.fields.confidence import with_chances
from ocr_service.fields.decodes import DecodeTable
from ocr_service.fields.kinds import is_slogan
from ocr_service.fields.text import fold, key
from ocr_service.reading.outcome import settle
from ocr_service.records import Alternative, Context, Field, Line, Reading, ReadingStatus
from preprocess.fingerprint import distance_bits

REACH = 3
"""How far apart in the upload order two shots of one grave may be: two to three shots are taken of each."""

NEAR_DUPLICATE_BITS = 10
"""25 rendered photos, each saved again, shrunk, brightened, darkened and trimmed by 2 %: up to 10 bits; 300 pairs of
photos of different stones: from 20 bits on."""

# By judgement: two readings of one name may differ in one letter of seven, as of one date; ``python -m bench --only
# graves`` measures what comes of it, beside namesakes of one village and stones of the unknown.
_SAME_TEXT = 0.72
_SAME_NAME = 0.86
_SAME_DIGITS = 0.86
_LEAST_DIGITS = 4  # a year: without one, a name and a place prove nothing
_SURE_PLOT = 0.5
_PLOT_PARTS = ("khu", "lo", "hang", "o", "mo")
_LINE_ALIKE = 0.5  # lines of two shots that are one line of the stone share half of their characters
_SHOWN_FROM = 0.5  # a line that only another shot shows is taken over where it is right rather than wrong

_NOT_DIGIT = re.compile(r"\D+")
_STANDING = frozenset({"", "lietsi", "anhhunglietsi", "moliet", "molietsi", "liet", "ghicong"})


@dataclass(frozen=True, slots=True)
class Grave:
    """Shots of one grave, as indices into the readings given, in upload order; ``best`` is one of them."""

    best: int
    shots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MergedLine:
    """A line of the stone as all shots read it; its quad is in pixels of the given shot's photo."""

    line: Line
    shot: int


@dataclass(frozen=True, slots=True)
class _Text:
    """What tells one inscription from another: words without headers and slogans, digits, name, plot."""

    words: str
    digits: str
    name: str
    plot: Mapping[str, str]


def group_shots(readings: Sequence[Reading]) -> list[Grave]:
    """Graves, each with its shots; ``readings`` are in upload order, and one without match is a grave of one."""
    texts = [_text_of(reading) for reading in readings]
    groups: list[list[int]] = []
    for index, reading in enumerate(readings):
        near = [group for group in reversed(groups) if group[-1] >= index - REACH]
        joined = next((group for group in near if _belongs(index, group, readings, texts)), None)
        if joined is None or reading.status is ReadingStatus.REJECTED:
            groups.append([index])
        else:
            joined.append(index)
    return [Grave(max(shots, key=lambda at: (_worth(readings[at]), -at)), tuple(shots)) for shots in groups]


def is_same_grave(one: Reading, other: Reading) -> bool:
    """Whether two neighbouring shots show one inscription: the same name and digits, and most of the other words."""
    return _agree(_text_of(one), _text_of(other))


def merge_lines(shots: Sequence[Sequence[Line]]) -> list[MergedLine]:
    """What several shots of one inscription say together; the best shot comes first and gives the order.

    A line read in several shots keeps its surest reading. Where two shots disagree, confidence is the chance that the
    one is right and the other wrong, so that two sure but different readings of a name leave nobody certain. A line
    that only another shot shows stands after the one that it follows there.
    """
    merged = [MergedLine(line, 0) for line in shots[0]]
    for shot, lines in enumerate(shots[1:], 1):
        merged = _merge(merged, lines, shot)
    return merged


def merge_records(
    shots: Sequence[Reading],
    lines: Sequence[Line],
    context: Context = Context(),  # noqa: B008 - frozen value
    decodes: DecodeTable = DecodeTable(),  # noqa: B008 - frozen value
) -> Mapping[str, Field]:
    """What the lines of all shots say, the best shot first; one shot's record is its own.

    ``context`` and ``decodes`` are those that the shots were read with: without them abbreviated places and coded units
    would be open again. A fault of one photo is made good by another without it; where all are spoilt, so is what they
    say together.
    """
    best = shots[0]
    if len(shots) == 1 or best.photo_type is None:
        return best.record
    reasons = set.intersection(*(set(shot.quality) for shot in shots))
    record = with_chances(parse_lines(lines, context, decodes).record)
    return settle(record, best.photo_type, reasons, unread_count=0)


def _text_of(reading: Reading) -> _Text:
    telling = [line.text for line in reading.lines if not is_slogan(line.text) and key(line.text) not in _STANDING]
    joined = "\n".join(telling)
    words = fold(re.sub(r"[^\w\n]+", "", joined))
    return _Text(words, _NOT_DIGIT.sub("", joined), _full_name(reading.record), _plot(reading.record))


def _full_name(record: Mapping[str, Field]) -> str:
    """The name of more than one syllable; one alone is shared by many, or torn from a wording of the unknown."""
    name = record.get("name")
    return key(name.raw or "") if name is not None and " " in str(name.value or "") else ""


def _plot(record: Mapping[str, Field]) -> dict[str, str]:
    plot = record.get("loc")
    if plot is None or plot.confidence < _SURE_PLOT or not isinstance(plot.value, Mapping):
        return {}
    return {part: key(str(plot.value[part])) for part in _PLOT_PARTS if part in plot.value}


def _belongs(
    index: int,
    group: Sequence[int],
    readings: Sequence[Reading],
    texts: Sequence[_Text],
) -> bool:
    """Whether a shot is one more file of a picture in the group, or says what all of the group say."""
    if any(_same_picture(readings[index], readings[at]) for at in group):
        return all(_not_otherwise(texts[index], texts[at]) for at in group)
    return all(_agree(texts[index], texts[at]) for at in group)


def _agree(one: _Text, other: _Text) -> bool:
    if not one.name or not other.name or min(len(one.digits), len(other.digits)) < _LEAST_DIGITS:
        return False
    return _not_otherwise(one, other) and Indel.normalized_similarity(one.name, other.name) >= _SAME_NAME


def _not_otherwise(one: _Text, other: _Text) -> bool:
    """Whether two inscriptions share most of their words and digits, and say no other plot."""
    if any(other.plot.get(part, number) != number for part, number in one.plot.items()):
        return False
    return (
        Indel.normalized_similarity(one.words, other.words) >= _SAME_TEXT
        and Indel.normalized_similarity(one.digits, other.digits) >= _SAME_DIGITS
    )


def _same_picture(one: Reading, other: Reading) -> bool:
    """Whether two files hold one picture. Pictures without text look alike too easily to be told by their looks."""
    if one.sha256 and one.sha256 == other.sha256:
        return True
    if one.fingerprint is None or other.fingerprint is None or not one.lines or not other.lines:
        return False
    return distance_bits(one.fingerprint, other.fingerprint) <= NEAR_DUPLICATE_BITS


def _worth(reading: Reading) -> float:
    """How much of an inscription a shot surely shows: characters expected to be read right."""
    return sum(len(line.text) * line.confidence for line in reading.lines)


def _merge(first: Sequence[MergedLine], second: Sequence[Line], shot: int) -> list[MergedLine]:
    ours, theirs = [comparable(merged.line.text) for merged in first], [comparable(line.text) for line in second]
    partner = {
        column: row
        for row, column in pair_lines(ours, theirs)
        if column is not None and _alike(ours[row], theirs[column]) >= _LINE_ALIKE
    }
    known = list(first)
    added: dict[int, list[MergedLine]] = {}
    after = -1
    for column, line in enumerate(second):
        if column in partner:
            after = partner[column]
            known[after] = MergedLine(_surer(known[after].line, line), known[after].shot)
        elif line.confidence >= _SHOWN_FROM:
            added.setdefault(after, []).append(MergedLine(line, shot))
    whole = added.get(-1, [])
    for at, merged in enumerate(known):
        whole += [merged, *added.get(at, [])]
    return whole


def _alike(one: str, other: str) -> float:
    return 1 - edit_distance(one, other) / max(len(one), len(other), 1)


def _surer(one: Line, other: Line) -> Line:
    """One line of the stone, read twice; it keeps the place that it has in the first picture."""
    if comparable(one.text) == comparable(other.text):
        return replace(one, confidence=max(one.confidence, other.confidence))
    best, worse = (one, other) if one.confidence >= other.confidence else (other, one)
    right, wrong = best.confidence * (1 - worse.confidence), 1 - best.confidence
    confidence = right / (right + wrong) if right + wrong else 0.0
    rest = (alternative for alternative in best.alternatives if alternative.text != worse.text)
    return replace(
        best,
        confidence=confidence,
        quad=one.quad,
        stone=one.stone,
        alternatives=(Alternative(worse.text, worse.confidence), *rest),
    )
