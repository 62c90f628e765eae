"""The grave itself: where it stands, where the dead lay before, what the upload knows of it."""

from __future__ import annotations

import re
from typing import Any

from ocr_service.fields.dates import read_date
from ocr_service.fields.draft import Draft, Item
from ocr_service.fields.locations import read_location
from ocr_service.fields.places import read_place
from ocr_service.fields.text import squeeze

TRAILING_YEAR = re.compile(r"(?<!\d)((?:\d{1,2}[/.\-])?(?:\d{1,2}[/.\-])?(?:19|20)\d\d)\s*$")


def read_burial(draft: Draft, item: Item) -> None:
    """First burial."""
    draft.join("burial", {"first_place": squeeze(item.text).strip(" .,;:-")}, item)


def read_gathering(draft: Draft, item: Item) -> None:
    """From where, when and by whom the remains were gathered."""
    text = item.text
    date = TRAILING_YEAR.search(text.strip())
    burial: dict[str, Any] = {}
    if date:
        burial["year"] = date[1][-4:]
        burial["date"] = read_date(date[1]).value
        text = text.strip()[: date.start()]
    else:
        reading = read_date(text)
        if reading.value:
            burial["date"], burial["year"] = reading.value, reading.value[:4]
            text = reading.rest
    by = re.search(r"\b(?:do|bởi)\s+(.+)$", text)
    if by:
        burial["by"] = squeeze(by[1])
        text = text[: by.start()]
    where = re.sub(r"^\s*(?:tại|từ|ở|nơi)\s+", "", text.strip(" .,;:-"))
    flags: tuple[str, ...] = ()
    if where:
        place = read_place(where, draft.context.cemetery_province)
        levels = [place.value[name] for name in ("hamlet", "commune", "district", "province") if name in place.value]
        burial |= {"from_place": ", ".join(levels) or where}
        burial |= {name: place.value[name] for name in ("commune", "district", "province") if name in place.value}
        flags = place.flags
    draft.join("burial", burial, item, flags)


def read_plot(draft: Draft, item: Item) -> None:
    """Plot of the grave."""
    found = read_location(item.text, labelled=True)
    if found:
        put_plot(draft, found, item)


def put_plot(draft: Draft, found: dict[str, str], item: Item) -> None:
    """Record a plot; its source is the stone unless the context says otherwise."""
    source = "roster" if from_roster(draft) else "stone"
    flags = ("loc_unparsed",) if set(found) == {"raw"} else ()
    draft.put("loc", {"raw": squeeze(item.text)} | found | {"source": source}, item, flags=flags)


def put_context(draft: Draft) -> None:
    """What the upload knows and the stone does not say, marked as coming from there."""
    context = draft.context
    nowhere = Item(None, "", (), stated=False)
    if context.plot and not draft.has("loc"):
        found = read_location(context.plot, labelled=True) or {}
        value = {"raw": squeeze(context.plot)} | found | {"source": "upload"}
        draft.put("loc", value, nowhere, raw=context.plot, flags=("loc_from_context",))
    if context.cemetery and not draft.has("cemetery"):
        draft.put("cemetery", context.cemetery, nowhere, raw=context.cemetery, flags=("cemetery_from_context",))


def from_roster(draft: Draft) -> bool:
    """Whether the text comes from a list rather than from a stone."""
    return draft.context.source == "roster"
