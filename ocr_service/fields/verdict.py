"""The last look at a record: lone dates get their sense, facts are weighed against each other, the kind is decided."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from ocr_service.fields.dates import WAR_YEARS
from ocr_service.fields.draft import GUESSED_BELOW, Draft, Item
from ocr_service.fields.graves import put_context
from ocr_service.fields.kinds import KindEvidence, is_place_name_of_graves, tells_kind
from ocr_service.fields.labelled import put_name
from ocr_service.fields.lone_dates import place_lone_dates, place_unread_dates, year_of
from ocr_service.fields.names import likeness_to_name, read_name
from ocr_service.fields.remarks import phone_numbers
from ocr_service.fields.text import fold, squeeze
from ocr_service.records import Field

# Who lies in these graves lived 13 to 70 years; the decree's rosters hold no younger soldier.
_YOUNGEST, _OLDEST = 13, 70
Rows: TypeAlias = Sequence[tuple[int, str]]

_STRUCK = "[…]"  # stands for personal data of the living
_FACTS = ("birth", "death", "enlist", "hometown", "unit", "rank", "position", "war", "death_place")
_CIVIL = re.compile(r"noi an nghi|phan mo|mo phan|noi yen nghi")


def conclude(draft: Draft, evidence: KindEvidence, rows: Rows, line_count: int) -> dict[str, Field]:
    """The finished record."""
    _name_after_address(draft)
    _name_nobody_read(draft)
    place_lone_dates(draft)
    place_unread_dates(draft)
    if draft.has("residence") and not draft.has("hometown"):
        # Some stones name only where the dead last lived; that is where the family is looked for.
        draft.fields["hometown"] = draft.fields["residence"]
        draft.flag("hometown_is_residence")
    _weigh_life(draft)
    put_context(draft)
    kind, flags = _kind(draft, evidence, rows, line_count)
    draft.flag(*flags)
    _redact(draft, rows)
    record = dict(draft.fields)
    record["kind"] = _field_of_lines(draft, kind, _deciding_lines(draft, evidence, kind, rows), rows)
    if evidence.unknown and kind in ("unknown", "partial", "collective", "relocated", "symbolic"):
        said = _field_of_lines(draft, evidence.unknown, _rows_at(rows, evidence.wording_lines), rows)
        record["unknown_wording"] = replace(said, raw=evidence.unknown)
    if draft.headers:
        header = draft.headers[0]
        record["header"] = Field(header.text, header.text, round(draft.sure(header), 4), header.lines)
    if evidence.count and kind in ("collective", "memorial_list"):
        record["count"] = Field(evidence.count, None, record["kind"].confidence)
    if "other_names" in record and kind == "named":
        both = [record["name"].value, *record["other_names"].value]
        record["persons"] = Field([{"name": name} for name in both], None, record["other_names"].confidence)
    if kind in ("collective", "memorial_list"):
        _list_persons(record)
    elif kind in ("unknown", "other"):
        _without_name(record)
    record.setdefault("name", Field(None, None, 0.0))
    record.setdefault("name_status", Field("unknown", None, 0.0))
    if draft.unread:
        lines_left = tuple(dict.fromkeys(line for item in draft.unread for line in item.lines))
        record["other_lines"] = Field(_struck(draft, [item.text for item in draft.unread]), None, 0.0, lines_left)
    record["flags"] = Field(sorted(draft.flags), None, 1.0)
    return record


def _rows_at(rows: Rows, places: Iterable[int]) -> tuple[int, ...]:
    return tuple(rows[place][0] for place in sorted(places) if place < len(rows))


def _deciding_lines(draft: Draft, evidence: KindEvidence, kind: str, rows: Rows) -> tuple[int, ...]:
    """The lines that say what an inscription is: its wording, the name, or the facts; none where nothing does."""
    if kind == "unknown":
        said = _rows_at(rows, evidence.wording_lines)
    elif kind in ("named", "partial"):
        fields = [name for name in ("name", *_FACTS) if draft.has(name)]
        said = draft.fields[fields[0]].lines if fields else ()
    else:
        said = tuple(index for index, text in rows if tells_kind(text) or is_place_name_of_graves(text))
    said = said or tuple(line for header in draft.headers for line in header.lines)
    return tuple(dict.fromkeys(said))


def _field_of_lines(draft: Draft, value: str, lines: tuple[int, ...], rows: Rows) -> Field:
    """A conclusion, as sure as the least sure of the lines it was drawn from."""
    known = [draft.line_confidence[line] for line in lines if line < len(draft.line_confidence)]
    chosen = frozenset(lines)
    cut = "\n".join(text for index, text in rows if index in chosen)
    raw = _struck(draft, [cut])[0] if cut else None
    return Field(value, raw, round(min(known, default=min(draft.line_confidence, default=0.5)), 4), lines)


def _redact(draft: Draft, rows: Rows) -> None:
    """Names and numbers of the living; telephone numbers in whatever line they stand and however it was understood."""
    places, texts = [item.lines for item in draft.personal_lines], [item.text.strip() for item in draft.personal_lines]
    for index, text in rows:
        for number in map(squeeze, phone_numbers(text)):
            if number not in draft.personal:
                draft.personal[number] = None
                places.append((index,))
                texts.append(number)
                draft.flag("living_person_pii")
    if texts:
        lines = tuple(dict.fromkeys(line for place in places for line in place))
        draft.put("redact", list(draft.personal), Item("redact", "\n".join(texts), lines))


def _struck(draft: Draft, texts: Sequence[str]) -> list[str]:
    """Texts without the names and numbers of the living."""
    spans = sorted({span for span in draft.value("redact") or () if span.strip()}, key=len, reverse=True)
    if not spans:
        return [text.strip() for text in texts]
    personal = re.compile("|".join(r"\s+".join(map(re.escape, span.split())) for span in spans))
    return [personal.sub(_STRUCK, text).strip() for text in texts]


def _list_persons(record: dict[str, Field]) -> None:
    persons = record.get("persons")
    if persons is None:
        named = [record[key] for key in ("name", "other_names") if key in record and record[key].value]
        names = [
            value for field in named for value in (field.value if isinstance(field.value, list) else [field.value])
        ]
        lines = tuple(line for field in named for line in field.lines)
        sure = min((field.confidence for field in named), default=0.0)
        persons = record["persons"] = Field([{"name": name} for name in names], None, sure, lines)
    names = [person["name"] for person in persons.value if person.get("name")]
    record["names"] = Field(names, None, persons.confidence, persons.lines)
    _without_name(record)


def _without_name(record: dict[str, Field]) -> None:
    record["name"] = Field(None, None, 0.0)
    record["name_status"] = Field("unknown", None, 0.0)


def _name_after_address(draft: Draft) -> None:
    """A lone ANH or BA under LIỆT SĨ, with no other name, is a given name and no form of address."""
    address = draft.fields.get("honorific")
    if address is None or draft.has("name") or not address.raw or "liet" not in draft.headed():
        return
    if len(address.raw.split()) == 1 and fold(address.raw).strip(" .:") in ("anh", "ba", "chi", "co"):
        del draft.fields["honorific"]
        put_name(draft, read_name(address.raw), Item(None, address.raw, address.lines, stated=False))


def _name_nobody_read(draft: Draft) -> None:
    """Without a better one, the guessed line most like a name is the name, illegible; the other guesses stay unread."""
    guesses = draft.doubtful_names
    if not guesses and not draft.has("name"):
        guesses = _odd_names(draft)
        draft.unread = [item for item in draft.unread if item not in guesses]
    if guesses and not draft.has("name"):
        best = max(
            guesses, key=lambda item: (likeness_to_name(item.text), len(item.text.split()) > 1, draft.sure(item))
        )
        guesses = [item for item in guesses if item is not best]
        put_name(draft, read_name(best.text), best)
    draft.unread.extend(guesses)


def _odd_names(draft: Draft) -> list[Item]:
    """The unread line below LIỆT SĨ, or the first of the stone: where the name stands, whatever was read of it."""
    below = {header.lines[-1] + 1 for header in draft.headers if header.lines} or {0}
    return [
        item
        for item in draft.unread
        if item.lines and item.lines[0] in below and len(item.text.split()) <= 5 and _is_mostly_letters(item.text)
    ][:1]


def _is_mostly_letters(text: str) -> bool:
    letters = sum(char.isalpha() for char in text)
    return letters >= 3 and sum(char.isdigit() for char in text) <= 2 and letters >= 0.7 * len(text.replace(" ", ""))


def _weigh_life(draft: Draft) -> None:
    birth, death, enlist = (year_of(draft.value(name)) for name in ("birth", "death", "enlist"))
    age = draft.value("age")
    civil = _is_civil(draft)
    if isinstance(age, int):
        if not civil and not _YOUNGEST <= age <= _OLDEST:
            draft.flag("implausible_age")
        elif birth is None and death is not None and not draft.has("birth"):
            own = 1 if draft.value("age_counting") == "inclusive" else 0
            item = Item("age", draft.fields["age"].raw or "", draft.fields["age"].lines, stated=False)
            draft.put("birth", f"{death - age + own}~", item, flags=("birth_derived",), fit=0.5)
    if birth is not None and death is not None:
        lived = death - birth
        if lived < 0:
            draft.flag("death_before_birth")
        elif not civil and not _YOUNGEST <= lived <= _OLDEST:
            draft.flag("implausible_age")
    full = all(isinstance(draft.value(n), str) and len(draft.value(n)) == 10 for n in ("enlist", "death"))
    if enlist is not None and death is not None:
        later = draft.value("enlist") > draft.value("death") if full else enlist > death
        if later:
            draft.flag("death_before_enlist")


def _is_civil(draft: Draft) -> bool:
    headers = draft.headed()
    if "liet" in headers:
        return False
    elder = draft.value("honorific") in ("cụ ông", "cụ bà", "cụ", "bà", "ông")
    late = (year_of(draft.value("death")) or 0) > WAR_YEARS[1]
    return elder or late or bool(_CIVIL.search(headers))


def _kind(  # one rule a line, the first that fits
    draft: Draft, evidence: KindEvidence, rows: Rows, line_count: int
) -> tuple[str, tuple[str, ...]]:
    """The kind of inscription and the flags that belong to it."""
    name, status = draft.value("name"), draft.value("name_status")
    persons = draft.value("persons") or []
    facts = [field for field in _FACTS if draft.has(field)]
    if not rows:
        return _nothing_cut(line_count)
    if evidence.listing and (len(persons) != 1 or not name) and (persons or not evidence.no_grave):
        return "memorial_list", ()
    if evidence.shared or (
        evidence.collective and not (name and status == "full" and not persons and not evidence.count)
    ):
        return "collective", _unknown_flags(evidence)
    if evidence.no_grave and not name and not facts and not evidence.unknown:
        return "other", ("not_a_grave",)
    if evidence.symbolic:
        return "symbolic", ()
    if evidence.relocated:
        return "relocated", ()
    if evidence.unknown and status != "full":
        return "unknown", _unknown_flags(evidence)
    if status == "full":
        blank = draft.has("death") and name is not None and "blank_template" in draft.fields["death"].flags
        return ("partial" if blank else "named"), ()
    if status in ("given_only", "alias_only", "illegible") or facts or draft.has("name"):
        return "partial", ()
    headers = draft.headed()
    if "liet" in headers and not draft.unread and len(rows) <= 3:
        if min(draft.line_confidence, default=1.0) < GUESSED_BELOW:
            return "partial", ("illegible_name",)  # something is cut there that the reader could not make out
        return "unknown", ("blank_stone",)
    monument = bool(draft.headers) and not draft.unread and "to quoc" in headers
    return "other", ("not_a_grave",) if monument else ()


def _nothing_cut(line_count: int) -> tuple[str, tuple[str, ...]]:
    """Blank lines are a blank stone; no line at all says only that nothing was read."""
    return ("unknown", ("blank_stone",)) if line_count > 1 else ("other", ("no_text",))


def _unknown_flags(evidence: KindEvidence) -> tuple[str, ...]:
    if evidence.poetic:
        return ("poetic_unknown",)
    return ("old_wording",) if evidence.old_wording else ()
