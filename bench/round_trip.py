"""Whether the parser returns what an invented inscription says, from its own text and from a misread one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from bench.misreadings import MisreadText, misread
from bench.rivals import as_read
from datasets.inscriptions import Inscription, Kind, Truth, sample_inscription
from datasets.lexicon import Place
from ocr_service.fields import Inscription as Parsed
from ocr_service.fields import parse_lines, parse_text
from ocr_service.fields.gazetteer import gazetteer
from ocr_service.fields.place_levels import loose_spelling
from ocr_service.fields.positions import read_position
from ocr_service.fields.ranks import read_rank
from ocr_service.fields.text import clean as canonical
from ocr_service.fields.text import fold, key, title, within_one_edit
from ocr_service.records import Field, Line

NOISY_FIELDS = ("name", "death", "province")
_DATES = (("birth", "birth_date"), ("enlist", "enlist_date"), ("death", "death_date"))
_TYPE_WORD = re.compile(r"^(?:thi xa|thi tran|thanh pho|huyen|quan|xa|phuong|tx|tp|tt|[hqx])[. ]\s*")
_MOST_EXTRA = 3  # signs and crumbs of a misread label that a text found in the right place may bring along


def wrong_fields(inscription: Inscription, parsed: Parsed) -> list[str]:
    """Names of the fields whose truth the parser did not return; fields that the stone does not state do not count.

    A name or district that the parser mends (the word lists hold some stones' misspellings) counts as cut.
    """
    truth, flat = inscription.truth, parsed.flat()
    names = (flat.get("name"), flat.get("name_raw"))
    wrong = [] if truth.name is None or any(same_name(name, truth.name) for name in names) else ["name"]
    wrong += [field for field, said in _DATES if not _same_date(flat, field, getattr(truth, said))]
    wrong += _wrong_places(flat, truth)
    if truth.rank is not None and _code(read_rank(truth.rank)) != flat.get("rank"):
        wrong.append("rank")
    if truth.position is not None and _code(read_position(truth.position)) != flat.get("position"):
        wrong.append("position")
    if truth.unit is not None and _letters((flat.get("unit") or {}).get("raw")) != _letters(truth.unit):
        wrong.append("unit")
    return wrong if _same_kind(inscription.kind, flat["kind"]) else [*wrong, "kind"]


def same_name(found: str | None, said: str) -> bool:
    """Whether two names are one, up to the place of the tone in oa, oe, uy and to i or y."""
    return found is not None and loose_spelling(title(found)) == loose_spelling(title(said))


def _letters(text: str | None) -> str:
    return re.sub(r"[\W_]", "", loose_spelling((text or "").lower()))


def _code(reading: Any) -> str | None:
    return None if reading is None else reading.code


def _same_date(flat: Mapping[str, Any], field: str, said: str | None) -> bool:
    """Equal; or a lunar day beside the year that the truth gives."""
    found = flat.get(field)
    return said is None or found == said or (field == "death" and flat.get("lunar") is not None)


def _wrong_places(flat: Mapping[str, Any], truth: Truth) -> list[str]:
    """Levels of the hometown that are wrong; a province that no era knows is a slip of the word list."""
    if truth.hometown is None or not _provinces(truth.hometown):
        return []
    place = flat.get("hometown") or {}
    wrong = [] if same_province(place, truth.hometown) else ["province"]
    mended = "gazetteer_fix" in flat["flags"]
    for level in ("district", "commune"):
        said, found = _bare(getattr(truth.hometown, level)), _bare(place.get(level))
        if said and found != said and not (mended and within_one_edit(found, said)):
            wrong.append(level)
    return wrong


def _provinces(said: Place) -> set[str]:
    gaz = gazetteer()
    return {p.name for p in gaz.provinces(said.province) or gaz.abbreviated_provinces(said.province)}


def same_province(place: Mapping[str, Any], said: Place) -> bool:
    """Whether the province is the one said, under any of its names and abbreviations."""
    return place.get("province") in _provinces(said)


def _bare(name: str | None) -> str:
    return key(_TYPE_WORD.sub("", fold(name or "")))


def _same_kind(kind: Kind, found: str) -> bool:
    """A civil grave is a named one; a stone whose date was left blank is partial though its name is whole."""
    if kind in (Kind.NAMED, Kind.CIVIL):
        return found in ("named", "partial")
    return found == kind.value


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a field survives noise.

    ``equal``: the value is the truth. ``proposed``: it is, or the parser proposes the truth beside what is cut.
    ``found``: the value is the truth, or the field's text is what noise made of it, found in its place. ``joint``: the
    value is the truth where the reader's other readings of each line stand beside the noisy text (``bench.rivals``).
    ``within_reach``: it is, or some reading of every line of the field is right, so that who chose well would have it.
    """

    equal: bool
    proposed: bool
    found: bool
    joint: bool
    within_reach: bool


def noisy_verdicts(seed: int, count: int, civil_share: float = 0.0) -> dict[str, list[Verdict]]:
    """What noise leaves of name, death and province, each over the inscriptions that state it and read well when clean.

    Args:
        seed: of the inscriptions and of the noise.
        count: inscriptions.
        civil_share: share of civil graves.
    """
    rng, rivals_rng = Random(seed), Random(f"other readings {seed}")
    verdicts: dict[str, list[Verdict]] = {field: [] for field in NOISY_FIELDS}
    for _ in range(count):
        inscription = sample_inscription(rng, civil_share)
        noisy = misread("\n".join(inscription.lines), rng)
        for field, verdict in judge_noisy(inscription, noisy, as_read(noisy, rivals_rng)).items():
            verdicts[field].append(verdict)
    return verdicts


def judge_noisy(inscription: Inscription, noisy: MisreadText, lines: Sequence[Line]) -> dict[str, Verdict]:
    """The verdict for each of the three fields that the inscription states and that read well when clean.

    ``lines`` are those of the noisy text with the reader's other readings.
    """
    truth = inscription.truth
    clean, found, joint = parse_text(noisy.clean), parse_text(noisy.text), parse_lines(lines)
    wrong = wrong_fields(inscription, clean)
    verdicts: dict[str, Verdict] = {}

    def judge(field: str, record: str, is_right: Callable[[Parsed], bool], proposed: bool) -> None:
        equal = is_right(found)
        in_place = _is_found(clean.record[record], found.record.get(record), noisy)
        right = is_right(joint)
        reachable = right or _is_among(clean.record[record], noisy, lines)
        verdicts[field] = Verdict(equal, equal or proposed, equal or in_place, right, reachable)

    if truth.name is not None and "name" not in wrong:
        name = truth.name
        judge(
            "name",
            "name",
            lambda parsed: same_name(parsed.value("name"), name),
            same_name(found.value("name_suggested"), name),
        )
    if truth.death_date is not None and clean.value("death") == truth.death_date:
        proposed = truth.death_date in (found.value("death_candidates") or ())
        judge("death", "death", lambda parsed: bool(parsed.value("death") == truth.death_date), proposed)
    if truth.hometown is not None and _provinces(truth.hometown) and "province" not in wrong:
        home = truth.hometown
        candidates = (found.value("hometown") or {}).get("province_candidates", ())
        proposed = any(same_province({"province": candidate}, home) for candidate in candidates)
        judge("province", "hometown", lambda parsed: same_province(parsed.value("hometown") or {}, home), proposed)
    return verdicts


def _is_among(clean: Field, noisy: MisreadText, lines: Sequence[Line]) -> bool:
    """Whether every line of a field has a reading that is right."""
    cut = noisy.clean.split("\n")
    return all(cut[i] in (lines[i].text, *(other.text for other in lines[i].alternatives)) for i in clean.lines)


def _is_found(clean: Field, found: Field | None, noisy: MisreadText) -> bool:
    """Whether the text found is what noise made of the clean field's text, a few crumbs apart."""
    words = [re.escape(word) for word in re.split(r"[\s,]+", clean.raw or "") if word]
    span = re.search(r"[\s,]*".join(words), canonical(noisy.clean)) if words else None
    if found is None or found.raw is None or span is None:
        return False
    expected, actual = _letters(noisy.what_became_of(*span.span())), _letters(found.raw)
    return expected in actual and len(actual) - len(expected) <= _MOST_EXTRA
