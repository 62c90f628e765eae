"""Where a photo comes from, as its page shows it: modestly, and only what is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from api.i18n import Texts
from ocr_service.records import Origin


@dataclass(frozen=True, slots=True)
class ShownOrigin:
    """Who took a photo, with what, when and where; empty where that is not known."""

    collector: str
    device: str
    taken: str
    place: str


def show_origin(origin: Origin) -> ShownOrigin:
    """The origin as people read it. ``taken`` is the camera's own time, whatever its zone was."""
    place = ""
    if origin.latitude_deg is not None and origin.longitude_deg is not None:
        place = f"{origin.latitude_deg:.5f}, {origin.longitude_deg:.5f}"  # a metre or so: one grave from the next
    return ShownOrigin(origin.collector or "", origin.device or "", _camera_time(origin.taken_at), place)


def say_origin(origin: Origin, texts: Texts) -> str:
    """When and by whom a photo was taken, in a few words; empty where neither is known."""
    shown = show_origin(origin)
    taken = texts("verify.taken", when=shown.taken) if shown.taken else ""
    return ", ".join(filter(None, (taken, texts("verify.taken_by", who=shown.collector) if shown.collector else "")))


def _camera_time(taken_at: str | None) -> str:
    if not taken_at:
        return ""
    try:
        only_day = len(taken_at) == len("2025-07-27")
        return datetime.fromisoformat(taken_at).strftime("%d/%m/%Y" if only_day else "%d/%m/%Y %H:%M")
    except ValueError:
        return taken_at
