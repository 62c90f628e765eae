"""Normalised values of record fields as one line of text, and back.

What a person types is understood by the same parser that reads stones, told which field it is; a text that the parser
cannot take apart is kept as it was typed (``{"raw": …}``), never bent into something else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from api.i18n import Texts, catalogue
from api.pages.dates import DateTextError, read_date, show_date
from ocr_service.fields import parse_text
from ocr_service.records import Context

DATES = frozenset({"birth", "enlist", "death", "party", "lunar"})
CODES = frozenset({"kind", "rank", "war", "name_status"})
LISTS = frozenset({"aliases", "name_variants"})
OBJECTS = frozenset({"hometown", "unit", "loc"})
# the parser keeps the whole inscription, or the words of another field, as theirs
WITHOUT_WORDS = frozenset({"kind", "war", "name_status"})

_PLACE_PARTS = ("hamlet", "commune", "district", "province", "country")
_PLOT_PARTS = ("khu", "lo", "hang", "o", "mo")


class FieldTextError(ValueError):
    """The text does not fit the field; the message is a sentence for the person who typed it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def show_value(name: str, value: Any, texts: Texts) -> str:
    """The text of a normalised value, empty where there is none. Codes of a choice stay codes: the form picks them."""
    if value is None or value in ("", [], {}):
        return ""
    if name in DATES and isinstance(value, str):
        return show_date(value, texts)
    if isinstance(value, bool):
        return texts("app.yes") if value else ""
    if isinstance(value, Mapping):
        return _show_parts(name, value, texts)
    if isinstance(value, list | tuple):
        return ("; " if name == "persons" else ", ").join(filter(None, (_show_item(item, texts) for item in value)))
    if name == "position":
        return _position(str(value), texts)
    return str(value)


def show_for_people(name: str, value: Any, texts: Texts) -> str:
    """As ``show_value``, with the codes of choices spelt out."""
    shown = show_value(name, value, texts)
    return texts(f"{name}.{shown}") if name in CODES and texts.knows(f"{name}.{shown}") else shown


def read_value(name: str, text: str, context: Context, texts: Texts) -> Any:
    """The normalised value that a person's text means; None for an empty text. Raises ``FieldTextError``."""
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()
    if not text:
        return None
    if name in DATES:
        try:
            return read_date(text)
        except DateTextError as error:
            raise FieldTextError(name, texts(error.key, date=error.date)) from error
    if name == "persons":
        raise FieldTextError(name, texts("error.by_rows"))
    if name in CODES:
        if f"{name}.{text}" not in catalogue():
            raise FieldTextError(name, texts("error.not_a_choice", text=text))
        return text
    if name in LISTS:
        return [item.strip() for item in re.split(r"[,;]", text) if item.strip()]
    if name == "age":
        if not re.fullmatch(r"\d{1,3}", text, re.ASCII):
            raise FieldTextError(name, texts("error.not_a_number", text=text))
        return int(text)
    if name in OBJECTS:
        value = parse_text(text, replace(context, field=name)).value(name)
        return {**value, "raw": text} if isinstance(value, Mapping) else {"raw": text}
    return _position_code(text) if name == "position" else text


def meaning_of(name: str, value: Any, texts: Texts) -> str:
    """What a value means beyond its own words: the places of today. Empty where nothing is added."""
    if name != "hometown" or not isinstance(value, Mapping):
        return ""
    province = _place_name(value.get("province_2025"))
    commune = _place_name(value.get("commune_2025") or value.get("now_commune"))
    if (province and province != value.get("province")) or (commune and commune != value.get("commune")):
        return texts("place.now", place=", ".join(filter(None, (commune, province))))
    several = value.get("province_2025_candidates")
    return texts("place.now_one_of", places=", ".join(map(_place_name, several))) if several and not province else ""


def _place_name(place: Any) -> str:
    """The name of a place that is given by it or as an object with its code."""
    return str((place.get("name") if isinstance(place, Mapping) else place) or "")


def _show_parts(name: str, value: Mapping[str, Any], texts: Texts) -> str:
    if name == "hometown":
        shown = " - ".join(str(value[part]) for part in _PLACE_PARTS if value.get(part))
    elif name == "loc":
        shown = ", ".join(texts(f"loc.{part}", value=value[part]) for part in _PLOT_PARTS if value.get(part))
    elif name == "unit":
        shown = _show_unit(value, texts)
    else:
        shown = ", ".join(str(part) for part in value.values() if isinstance(part, str | int))
    return shown or str(value.get("raw") or "")


def _show_unit(value: Mapping[str, Any], texts: Texts) -> str:
    chain: Sequence[Sequence[Any]] = value.get("chain") or ()
    shown = [
        texts(f"unit.{level}", number=number) if texts.knows(f"unit.{level}") else f"{level or ''}{number or ''}"
        for level, number in chain
    ]
    if value.get("theatre_code"):
        shown.append(str(value["theatre_code"]))
    if value.get("mailbox"):
        shown.append(texts("unit.mailbox", number=value["mailbox"]))
    return " - ".join(shown)


def _show_item(item: Any, texts: Texts) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    name = item.get("name") or texts("record.unknown")
    years = [show_date(str(item[key]), texts) for key in ("birth", "death") if item.get(key)]
    return f"{name} ({' – '.join(years)})" if years else str(name)


def _position(code: str, texts: Texts) -> str:
    return texts(f"position.{code}") if texts.knows(f"position.{code}") else code.replace("_", " ")


def _position_code(text: str) -> str:
    """The code of a post by its name in either language; other posts stay in words, there is no closed list of them."""
    for key, names in catalogue().items():
        if key.startswith("position.") and text.casefold() in {name.casefold() for name in names.values()}:
            return key.removeprefix("position.")
    return text
