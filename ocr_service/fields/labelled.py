"""What stands behind a label → facts of the record. One function a field; ``HANDLERS`` is the table of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ocr_service.fields.dates import BIRTH_YEARS, WAR_YEARS, DateReading, read_date
from ocr_service.fields.draft import UNSURE_BELOW, Draft, Item
from ocr_service.fields.graves import TRAILING_YEAR, from_roster, read_burial, read_gathering, read_plot
from ocr_service.fields.name_choice import as_it_can_be
from ocr_service.fields.name_suggestion import suggest_name
from ocr_service.fields.names import (
    NameReading,
    begins_with_surname,
    illegible,
    is_plausible_name,
    is_spelled_possibly,
    read_name,
    without_surname_fix,
)
from ocr_service.fields.places import read_place
from ocr_service.fields.positions import read_position
from ocr_service.fields.ranks import read_rank
from ocr_service.fields.remarks import read_award, read_death_place, read_redaction, read_war
from ocr_service.fields.syllables import is_syllable
from ocr_service.fields.text import fold, squeeze, title
from ocr_service.fields.units import UnitReading, read_force, read_unit

_AGE = re.compile(r"(?<!\d)(\d{1,3})\s*tuoi|\btuoi\s*:?\s*(\d{1,3})(?!\d)")

_MOST_ALIASES = 20  # more are no person's, and each costs the time of all before
# Stones leave the year of a death open by a year or two (1966/1967); ten years are a war or two misread numbers.
_LONGEST_DOUBT_YEARS = 5


def read_birth(draft: Draft, item: Item) -> None:
    """Birth, and a place of birth where the stone adds one."""
    reading = read_date(item.text, roster=from_roster(draft), years=BIRTH_YEARS)
    _put_date(draft, "birth", reading, item)


def read_enlistment(draft: Draft, item: Item) -> None:
    """Enlistment and what it is called: nhập ngũ, thoát ly, đi B."""
    _put_date(draft, "enlist", read_date(item.text, roster=from_roster(draft)), item)
    if item.verb:
        draft.put("enlist_verb", item.verb, item)


def read_death(draft: Draft, item: Item) -> None:
    """Death: date, war, place, age. An era may stand instead of a date."""
    text = item.text
    age = _AGE.search(fold(text))
    if age:
        draft.put("age", int(age[1] or age[2]), item, raw=age.group())
        text = text[: age.start()] + " " + text[age.end() :]
    reading = read_date(text, roster=from_roster(draft), years=_death_years(draft))
    if "interval" in reading.flags and _years_spanned(reading) > _LONGEST_DOUBT_YEARS:
        both = tuple(str(reading.value).split("/"))
        reading = replace(reading, value=None, candidates=both, flags=("interval", "illegible_year"))
    known = draft.value("death")
    finer = known is None or (reading.value is not None and reading.value.startswith(str(known)))
    war = read_war(text)
    if war:
        draft.put("war", war, item)
    if reading.value or reading.candidates or reading.lunar or not war:
        _put_date(draft, "death", reading, item, replace=finer)
    else:
        draft.put("death", None, item)
    if reading.candidates:
        draft.put("death_candidates", list(reading.candidates), item)
    if reading.lunar:
        draft.put("lunar", reading.lunar, item)
    draft.put("death_calendar", "lunar" if reading.lunar else "solar" if reading.value else "unknown", item)
    draft.put("death_verb", item.verb or "hy_sinh", item)
    place = read_death_place(reading.rest if reading.value or reading.candidates else text)
    if place:
        draft.put("death_place", place, item, raw=place)


def _years_spanned(reading: DateReading) -> int:
    years = [half[:4] for half in str(reading.value).split("/")]
    return int(years[-1]) - int(years[0]) if all(year.isdigit() for year in years) else 0


def read_lunar_twin(draft: Draft, item: Item) -> None:
    """``TỨC: 11-09-ẤT TỴ``: the lunar day of the death named just before it; or an alias after the same word."""
    if not re.search(r"\d", item.text):
        draft.join("aliases_found", {"alias": item.text}, item)
        return
    death = draft.value("death")
    year = int(death[:4]) if isinstance(death, str) and death[:4].isdigit() else None
    years = (year - 1, year + 1) if year else _death_years(draft)
    reading = read_date(f"{item.text} âm lịch" if year else item.text, years=years)
    if reading.lunar is None and year and reading.value and reading.value.startswith("XXXX-"):
        reading = read_date(f"{item.text}/{year} âm lịch")
    if reading.lunar is None:
        return
    flags = list(reading.flags)
    if death is None or (len(str(death)) < 10 and str(reading.value or "").startswith(str(death))):
        draft.put("death", reading.value, item, flags=flags, replace=True)
    elif reading.value and reading.value != death:
        flags.append("lunar_mismatch")
    draft.put("lunar", reading.lunar, item, flags=flags)


def read_party(draft: Draft, item: Item) -> None:
    """Entry into the Party: a date, or that there was one."""
    reading = read_date(item.text)
    draft.put("party", reading.value or True, item, flags=reading.flags if reading.value else ())


def read_hometown(draft: Draft, item: Item) -> None:
    """Hometown in its three layers."""
    context = draft.context
    text = item.text
    if not text.strip(" .,:;-/_\u2026*?"):
        draft.put("hometown", None, item, flags=("blank_template",))
        return
    year = TRAILING_YEAR.search(text.strip())
    bare = text.strip()[: year.start()] if year and year.start() else text
    reading = read_place(bare, context.cemetery_province, context.cemetery_commune)
    value: dict[str, Any] = dict(reading.value) | {"raw": squeeze(text).strip(" .,;:-")}
    if bare is not text and year:
        value["year"] = year[1][-4:]
    draft.put("hometown", value, item, raw=value["raw"], flags=reading.flags, fit=reading.fit)


def read_residence(draft: Draft, item: Item) -> None:
    """Last residence."""
    reading = read_place(item.text, draft.context.cemetery_province)
    value = dict(reading.value) | {"raw": reading.raw}
    draft.put("residence", value, item, raw=reading.raw, flags=reading.flags, fit=reading.fit)


def read_rank_slot(draft: Draft, item: Item) -> None:
    """Rank; a post, and now and then a unit, may share its slot."""
    text = item.text
    rank = read_rank(text)
    position_text = text
    if rank:
        draft.put("rank", rank.code, item, flags=rank.flags, fit=1.0 if rank.code else 0.5)
        if rank.candidates:
            draft.put("rank_candidates", list(rank.candidates), item)
        position_text = text[: rank.span[0]] + " " * (rank.span[1] - rank.span[0]) + text[rank.span[1] :]
    position = read_position(position_text)
    if position:
        draft.put("position", position.code, item, flags=position.flags)
        if rank:
            draft.flag("two_in_one")
    rest = position_text
    if position:
        rest = rest[: position.span[0]] + " " + rest[position.span[1] :]
    _unit_of_rest(draft, item, rest, whole=text if position else rest)
    if not rank and not position and text.strip(" .,:;-/"):
        draft.put("rank", None, item)


def read_position_slot(draft: Draft, item: Item) -> None:
    """Post; the unit it was held in may follow."""
    text = item.text
    position = read_position(text)
    if position is None:
        rank = read_rank(text)
        if rank and rank.code:
            draft.put("rank", rank.code, item, flags=rank.flags)
        else:
            draft.put("position", None, item)
        return
    draft.put("position", position.code, item, flags=position.flags)
    before, after = text[: position.span[0]], text[position.span[1] :]
    rank = read_rank(before, labelled=False)
    if rank and rank.code and not draft.has("rank"):
        draft.put("rank", rank.code, item, flags=(*rank.flags, "two_in_one"))
        before = before[: rank.span[0]] + " " + before[rank.span[1] :]
    _unit_of_rest(draft, item, f"{before} {after}", whole=text)


def _unit_of_rest(draft: Draft, item: Item, rest: str, whole: str) -> None:
    """What stands beside a rank or a post is a unit if anything in it reads as one."""
    rest = squeeze(rest).strip(" .,;:-/()")
    unit = read_unit(rest) if len(rest) > 1 else UnitReading("")
    if unit.found:
        _put_unit(draft, unit, item)
        return
    force = read_force(whole)
    if force and force not in ("trinh_sat", "thong_tin"):
        _put_unit(draft, UnitReading(squeeze(whole), force=force), item)


def read_unit_slot(draft: Draft, item: Item) -> None:
    """Unit."""
    unit = read_unit(item.text)
    if unit.raw:
        _put_unit(draft, unit, item)


def read_mailbox(draft: Draft, item: Item) -> None:
    """Field post number, a unit under cover."""
    unit = read_unit(f"hòm thư {item.text}")
    _put_unit(draft, unit, item)


def _put_unit(draft: Draft, unit: UnitReading, item: Item) -> None:
    value = {
        "raw": unit.raw,
        "chain": [list(link) for link in unit.chain],
        "theatre_code": unit.theatre_code,
        "mailbox": unit.mailbox,
        "force": unit.force,
        "decode": None,
    }
    draft.put("unit", value, item, raw=unit.raw, flags=unit.flags, fit=1.0 if unit.found else 0.3)
    if unit.force:
        draft.put("force", unit.force, item)
    if unit.note:
        draft.put("note", unit.note, item, raw=unit.note)


def read_name_slot(draft: Draft, item: Item) -> None:
    """The name of the dead, with what stands beside it."""
    if not item.text.strip(" .,:;-/_\u2026*?"):
        draft.put("name", None, item, flags=("blank_template",))
        return
    put_name(draft, read_name(item.text), item)


def put_name(draft: Draft, reading: NameReading, item: Item) -> None:
    """Record a name that was read, its aliases and what its brackets hold."""
    if not reading.raw:
        return
    reading = without_surname_fix(
        reading, (other.text for line in item.lines for other in draft.other_readings.get(line, ()))
    )
    if (draft.is_doubtful(item) and not is_plausible_name(reading.raw)) or (
        draft.sure(item) < UNSURE_BELOW and not is_spelled_possibly(reading.name or "")
    ):
        reading = illegible(reading)
    proposal = suggest_name(reading.raw)
    reading = as_it_can_be(draft, reading, item, proposal)
    known = (reading.name or "").split()
    # What glare or wear left of a name reads well and lacks its family name: TÙNG of LÊ VĂN ĐĂNG TÙNG, THỊ TÂN. Of 442
    # names read on 500 rendered stones and of those on 440 spoilt photos, two of the three surest wrong ones were such.
    whole = begins_with_surname(reading.name or "")
    fit = sum(is_syllable(word) for word in known) / len(known) if whole else 0.0
    draft.put("name", reading.name, item, raw=reading.raw, flags=reading.flags, fit=fit)
    draft.put("name_status", reading.status, item)
    if proposal and proposal.name != reading.name:
        draft.put("name_suggested", proposal.name, item, raw=reading.raw, flags=reading.flags, fit=0.0)
    for name, value in (
        ("name_variants", list(reading.variants)),
        ("honorific", reading.honorific),
        ("title", reading.hero),
        ("age", reading.age),
    ):
        if value:
            draft.put(name, value, item)
    if reading.aliases:
        others = draft.value("aliases") or []
        draft.put("aliases", list(dict.fromkeys((*reading.aliases, *others))), item, replace=True)
    if any(word.lower() == "thị" for word in known[1:-1]) or re.search(r"\(\s*(?:nữ|nu)\s*\)", item.text, re.I):
        draft.put("gender_hint", "F", item)
    if reading.years:
        put_year_pair(draft, reading.years, item)


def put_year_pair(draft: Draft, text: str, item: Item) -> bool:
    """``1921 - 09/06/1974``: birth and death. False if the text is no such pair."""
    halves = re.match(r"^[\s(]*(.*?\d{4}|\?+|\.{2,})\s*-\s*(.*?(?:19|20)\d\d|\?+|\.{2,})[\s.)]*$", text.strip())
    if not halves:
        return False
    birth, death = (read_date(half) for half in halves.groups())
    if "interval" in birth.flags or "interval" in death.flags or (birth.rest or death.rest):
        return False
    draft.put("birth", birth.value, item, raw=halves[1].strip(), flags=("year_pair", *birth.flags))
    draft.put("death", death.value, item, raw=halves[2].strip(), flags=("year_pair", *death.flags))
    return True


def read_alias(draft: Draft, item: Item) -> None:
    """Other names."""
    names = [title(part.strip(" .:()\"'")) for part in re.split(r"[,;/()]", item.text) if part.strip(" .:()\"'")]
    old = draft.value("aliases") or []
    if len(old) > _MOST_ALIASES:
        draft.unread.append(item)
        return
    draft.put("aliases", list(dict.fromkeys([*old, *names])), item, replace=True)


def read_age(draft: Draft, item: Item) -> None:
    """Stated age; the words hưởng thọ and hưởng dương count the year of birth as one."""
    number = re.search(r"\d{1,3}", item.text)
    if number:
        draft.put("age", int(number.group()), item)
        draft.put("age_counting", "inclusive", item)


def read_place_of_death(draft: Draft, item: Item) -> None:
    """Where somebody fell, as cut."""
    war = read_war(item.text)
    if war:
        draft.put("war", war, item)
    place = read_death_place(item.text) or squeeze(item.text).strip(" .,;:-")
    draft.put("death_place", place, item)


def read_remark(draft: Draft, item: Item) -> bool:
    """Certificates and living people. False if the text holds neither."""
    award = read_award(item.text)
    if award:
        draft.join("award", award, item)
    redaction = read_redaction(item.text)
    if redaction:
        draft.personal_lines.append(item)
        draft.personal.update(dict.fromkeys(redaction.spans))
        if redaction.spans:
            draft.flag("living_person_pii")
        if redaction.erected:
            draft.put("erected", redaction.erected, item)
    return bool(award or redaction)


def _remark(draft: Draft, item: Item) -> None:
    if not read_remark(draft, item) and item.field == "award" and item.text.strip():
        draft.join("award", {"bang_so": squeeze(item.text).strip(" .,;:")}, item)


def _ignored(draft: Draft, item: Item) -> None:
    draft.unread.append(item)


def _put_date(draft: Draft, name: str, reading: DateReading, item: Item, *, replace: bool = False) -> None:
    fit = 1.0 if reading.value and not reading.candidates else 0.6
    draft.put(name, reading.value, item, flags=reading.flags, fit=fit, replace=replace and draft.has(name))


def _death_years(draft: Draft) -> tuple[int, int]:
    """Years in which a can-chi year of death may lie: a known life or year narrows the war years."""
    death, birth = draft.value("death"), draft.value("birth")
    if isinstance(death, str) and death[:4].isdigit():
        return int(death[:4]) - 1, int(death[:4])
    age = draft.value("age")
    if isinstance(birth, str) and birth[:4].isdigit() and isinstance(age, int):
        return int(birth[:4]) + age - 2, int(birth[:4]) + age + 1
    if isinstance(birth, str) and birth[:4].isdigit() and "liet" not in draft.headed():
        return max(int(birth[:4]) + 13, WAR_YEARS[0]), 2035
    return WAR_YEARS


HANDLERS: dict[str, Callable[[Draft, Item], None]] = {
    "name": read_name_slot,
    "birth": read_birth,
    "enlist": read_enlistment,
    "death": read_death,
    "lunar": read_lunar_twin,
    "party": read_party,
    "hometown": read_hometown,
    "residence": read_residence,
    "rank": read_rank_slot,
    "rank_position": read_rank_slot,
    "rank_position_unit": read_rank_slot,
    "position": read_position_slot,
    "unit": read_unit_slot,
    "mailbox": read_mailbox,
    "alias": read_alias,
    "age": read_age,
    "death_place": read_place_of_death,
    "burial": read_burial,
    "gathered": read_gathering,
    "loc": read_plot,
    "award": _remark,
    "line": _remark,
    "other": _ignored,
}
# Other names under which callers and rosters know a field.
FIELD_NAMES = {
    "full_name": "name", "ho_ten": "name", "birth_date": "birth", "year_of_birth": "birth", "death_date": "death",
    "date_of_death": "death", "enlist_date": "enlist", "enlistment": "enlist", "date_of_enlistment": "enlist",
    "home_town": "hometown", "que_quan": "hometown", "burial": "gathered", "exhumation": "gathered",
    "place_of_exhumation": "gathered", "quy_tap": "gathered", "from_place": "gathered", "location": "loc",
    "plot": "loc", "aliases": "alias", "code_name": "alias", "rank_position": "rank_position", "post": "position",
    "remark": "line", "kin": "line",
}  # fmt: skip
