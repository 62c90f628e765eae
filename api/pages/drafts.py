"""A draft or record as the verification page shows it: texts, certainty in words, boxes, notes. Plain data for JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from api.i18n import Texts
from api.pages.doubts import Run, doubtful_runs
from api.pages.form import FORM_FIELDS, MORE_FIELDS, NOT_CUT
from api.pages.origins import say_origin
from api.pages.shots import ShownProposal, ShownShots, show_proposals, show_shots
from api.pages.values import DATES, meaning_of, show_for_people, show_value
from ocr_service.certainty import CERTAIN_FROM, WEAK_BELOW, certain_from
from ocr_service.database.values import RecordField, RecordView
from ocr_service.fields import parse_text
from ocr_service.fields.syllables import is_syllable
from ocr_service.records import Line, PhotoType, Reading
from ocr_service.states import VERIFIED_STATES, RecordState
from ocr_service.verification import Proposal, contested, normalised, proposals, sense
from ocr_service.verification.field_values import expected_of

# Notes that ask for a person's judgement; the others only explain. A field with one of them is never shown as certain.
ATTENTION = frozenset(
    {
        *("approx", "canchi_year", "interval", "lunar", "season", "two_digit_year", "birth_derived", "blank_day_month"),
        *("canchi_mismatch", "chosen_alternative", "death_before_birth", "death_before_enlist", "lunar_mismatch"),
        *("completed_from_cemetery", "completed_from_gazetteer", "lunar_north_south", "unlabelled_date"),
        *("ambiguous_code", "ambiguous_province", "district_not_in_province", "dm_ambiguous", "enlist_after_death"),
        *("gazetteer_fix", "illegible_name", "illegible_year", "implausible_age", "impossible_date"),
        *("impossible_solar_date", "living_person_pii", "loc_unparsed", "lunar_north_south_1968", "maybe_lunar"),
        *("mdy_order", "name_tone_uncertain", "no_diacritics", "not_a_grave", "not_normalised", "ocr_digit_fix"),
        *("ocr_tone_fix", "spelling_fix", "surname_fix", "surname_unclear", "two_in_one", "year_truncated"),
        *("date_unassigned", "line_cut", "illegible", "needs_rephotograph"),
    }
)
_MAX_OTHER_READINGS = 3


@dataclass(frozen=True, slots=True)
class Note:
    """A flag in human words; ``attention`` asks for judgement."""

    text: str
    attention: bool


@dataclass(frozen=True, slots=True)
class ShownField:
    """One field: the text as cut, its normal form, what that means today, and how certain the reading is.

    ``runs`` are the text as cut by what is doubtful in it, empty where nothing is; ``proposals`` what other shots of
    the grave read instead.
    """

    cut: str
    value: str
    meaning: str
    level: str
    lines: tuple[int, ...]
    notes: tuple[Note, ...]
    others: tuple[str, ...]
    runs: tuple[Run, ...]
    proposals: tuple[ShownProposal, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line box. ``quad`` is in pixels of the upright photo, clockwise from the top left corner."""

    text: str
    level: str
    quad: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class ShownPhoto:
    """The picture: its address, file name, upright size and stone faces in pixels."""

    id: int
    url: str
    file_name: str
    width_px: int
    height_px: int
    stones: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True, slots=True)
class ShownDraft:
    """Everything that the verification page shows of one draft or record."""

    id: int
    version: int
    decided: str
    title: str
    photo: ShownPhoto
    fields: Mapping[str, ShownField]
    lines: tuple[ShownLine, ...]
    other_lines: tuple[int, ...]
    notes: tuple[Note, ...]
    shots: ShownShots
    uses_more: bool


def show_draft(view: RecordView, texts: Texts, url_of: Callable[[int], str]) -> ShownDraft:
    """The page's view of a record; ``url_of`` says where the upright picture of a photo is served."""
    reading = view.reading
    fields = {name: show_field(name, view.fields.get(name), reading, texts) for name in FORM_FIELDS}
    fields["name"] = _with_proposal(fields["name"], view.fields.get("name_suggested"))
    for name, found in proposals(view).items():
        if name in FORM_FIELDS and name not in NOT_CUT:
            fields[name] = _with_proposals(name, fields[name], view.fields.get(name), found)
    if view.state in VERIFIED_STATES:  # a person has vouched for all of it
        fields = {name: replace(field, level=_vouched(field.level), runs=()) for name, field in fields.items()}
    used = {line for name in FORM_FIELDS if name not in NOT_CUT for line in fields[name].lines}
    width_px, height_px = reading.size_px or (0, 0)
    return ShownDraft(
        id=view.id,
        version=view.version,
        decided="" if view.state is RecordState.DRAFT else texts(f"record_state.{view.state}"),
        title=title_of(view.fields, texts),
        photo=ShownPhoto(
            view.photo.id,
            url_of(view.photo.id),
            view.photo.filename,
            width_px,
            height_px,
            tuple(reading.stone_quads),
        ),
        fields=fields,
        lines=tuple(ShownLine(line.text, level_of(line.confidence), line.quad) for line in reading.lines),
        other_lines=tuple(index for index in range(len(reading.lines)) if index not in used),
        notes=_draft_notes(view, texts),
        shots=show_shots(view, texts, url_of),
        uses_more=any(fields[name].cut or fields[name].value or fields[name].proposals for name in MORE_FIELDS),
    )


def show_field(name: str, field: RecordField | None, reading: Reading | None, texts: Texts) -> ShownField:
    """One field as shown; a field that the stone does not have is empty and says so."""
    if field is None:
        return ShownField("", "", "", "none", (), (), (), ())
    cut = _rows(field) if name == "persons" else " ".join((field.raw or "").split())
    return ShownField(
        cut=cut,
        value=show_value(name, field.value, texts),
        meaning=meaning_of(name, field.value, texts),
        level=level_of_field(name, field),
        lines=field.lines,
        notes=notes_of(field.flags, texts),
        others=_other_readings(name, field, reading.lines) if reading is not None else (),
        runs=_runs(name, field, cut, reading.lines) if reading is not None else (),
    )


def _rows(field: RecordField) -> str:
    """Persons as cut, one on each line; names that were told together only here become rows of their own."""
    persons = field.value if isinstance(field.value, list | tuple) else ()
    names = (str(person.get("name") or "") for person in persons if isinstance(person, Mapping))
    return field.raw or "\n".join(filter(None, names))


def title_of(fields: Mapping[str, RecordField], texts: Texts) -> str:
    """A record in one line: its name, else what kind of grave it is."""
    for name in ("name", "aliases", "kind"):
        field = fields.get(name)
        if field is not None and (shown := show_for_people(name, field.value, texts)):
            return shown
    return texts("verify.nameless")


def level_of(confidence: float, sure_from: float = CERTAIN_FROM) -> str:
    """How certain a reading is, as a word of the catalogue."""
    if confidence >= sure_from:
        return "sure"
    return "weak" if confidence < WEAK_BELOW else "check"


def level_of_field(name: str, field: RecordField) -> str:
    """How certain a field is. What a person said is certain; what needs judgement never is.

    What is judged over the whole stone (the kind of grave) inherits the worst line of it; nobody can read it again, so
    it is worth a look but never weak.
    """
    if field.decided_by is not None:
        return "sure"
    if field.raw is None and field.value is None:
        return "none"
    if expected_of(name, field.value) is not None:
        return "weak"  # no value that such a field can have (``1950/7292``), however well its line was read
    level = level_of(field.confidence, certain_from(name))
    judged = name in NOT_CUT and level == "weak"
    return "check" if judged or (level == "sure" and ATTENTION.intersection(field.flags)) else level


def _vouched(level: str) -> str:
    return level if level == "none" else "sure"


def notes_of(flags: Iterable[str], texts: Texts) -> tuple[Note, ...]:
    """Flags in human words, those that need judgement first."""
    notes = (Note(texts.of_code("flag", flag), flag in ATTENTION) for flag in flags)
    return tuple(sorted(notes, key=lambda note: not note.attention))


def _draft_notes(view: RecordView, texts: Texts) -> tuple[Note, ...]:
    notes = []
    stones = len(view.reading.stone_quads)
    if stones > 1:
        notes.append(Note(texts("verify.several_stones", count=stones), attention=True))
    kind = view.reading.photo_type
    if kind is not None and kind is not PhotoType.HEADSTONE:
        notes.append(Note(texts.of_code("photo_type", kind), attention=True))
    if view.reading.quality:
        faults = ", ".join(texts.of_code("quality", code) for code in view.reading.quality)
        notes.append(Note(f"{texts('verify.quality_note')} {faults}", attention=False))
    whole = view.fields.get("flags")
    flags = whole.value if whole is not None and isinstance(whole.value, list | tuple) else ()
    shown_at_fields = {flag for name in FORM_FIELDS if name in view.fields for flag in view.fields[name].flags}
    notes.extend(notes_of((flag for flag in flags if flag not in shown_at_fields), texts))
    if origin := say_origin(view.photo.origin, texts):
        notes.append(Note(origin, attention=False))
    return tuple(notes)


def _other_readings(name: str, field: RecordField, lines: tuple[Line, ...]) -> tuple[str, ...]:
    """Further ways to read the words of a field that stands on one line, best first.

    Only those that would make a difference and could be meant: a name of Vietnamese syllables, a date as full as the
    first reading's.
    """
    if field.raw is None or len(field.lines) != 1 or not 0 <= field.lines[0] < len(lines):
        return ()
    line = lines[field.lines[0]]
    known, others = {sense(field.value)}, []
    for alternative in sorted(line.alternatives, key=lambda other: -other.score):
        if field.raw == line.text:
            cut, value = alternative.text, normalised(name, alternative.text)[0]
        else:
            read = parse_text(alternative.text).record.get(name)
            cut, value = (read.raw or "", read.value) if read is not None else ("", None)
        if cut and sense(value) not in known and _could_be_meant(name, value, field.value):
            known.add(sense(value))
            others.append(cut)
    return tuple(others[:_MAX_OTHER_READINGS])


def _runs(name: str, field: RecordField, cut: str, lines: tuple[Line, ...]) -> tuple[Run, ...]:
    """The text as cut by what the reader doubts in it; a person's own words are not the reader's to doubt."""
    if name in NOT_CUT or field.decided_by is not None:
        return ()
    return doubtful_runs(cut, [lines[index] for index in field.lines if 0 <= index < len(lines)])


def _with_proposal(shown: ShownField, suggested: RecordField | None) -> ShownField:
    """A name with what it may have been, as the last of its other readings; in the letters of the stone."""
    if suggested is None or not suggested.value or not shown.cut:
        return shown
    proposal = suggested.value.upper() if shown.cut.isupper() else suggested.value
    known = {other.casefold() for other in (shown.cut, *shown.others)}
    return shown if proposal.casefold() in known else replace(shown, others=(*shown.others, proposal))


def _with_proposals(name: str, shown: ShownField, field: RecordField | None, found: Sequence[Proposal]) -> ShownField:
    """A field with what other shots read; where they say something else, it is no surer than that leaves it."""
    level = shown.level if field is None else level_of_field(name, contested(field, found))
    offered = show_proposals(found, shown.cut)
    told = {one.text.casefold() for one in offered}
    others = tuple(other for other in shown.others if other.casefold() not in told)
    return replace(shown, level=level, others=others, proposals=offered)


def _could_be_meant(name: str, value: Any, first: Any) -> bool:
    if name == "name":
        return isinstance(value, str) and all(is_syllable(word) for word in value.split())
    if name in DATES:
        return isinstance(value, str) and len(value) >= len(str(first or ""))
    return value is not None
