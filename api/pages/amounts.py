"""Counts, sizes and spans of time as people write them in the language of the page."""

from __future__ import annotations

from api.i18n import Language, Texts

_UNITS = ("KB", "MB", "GB", "TB")


def show_count(number: int, texts: Texts) -> str:
    """A whole number with its thousands set apart: 40.000 in Vietnamese, 40,000 in English."""
    shown = f"{number:,}"
    return shown.replace(",", ".") if texts.language is Language.VI else shown


def show_size(size_bytes: int, texts: Texts) -> str:
    """A size in decimal units, as file managers and providers count them."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size = size_bytes / 1000
    unit = 0
    while size >= 999.5 and unit < len(_UNITS) - 1:
        size /= 1000
        unit += 1
    shown = f"{size:.1f}" if unit and size < 99.5 else f"{size:.0f}"
    return f"{shown.replace('.', ',') if texts.language is Language.VI else shown} {_UNITS[unit]}"


def show_minutes(minutes: float, texts: Texts) -> str:
    """A span of time as coarse as its guess deserves."""
    if minutes < 1:
        return texts("span.under_a_minute")
    if minutes < 60:
        return texts("span.minutes", minutes=round(minutes))
    hours = minutes / 60
    if hours < 10:
        whole, rest = divmod(round(minutes / 10) * 10, 60)
        return texts("span.hours_minutes", hours=whole, minutes=rest) if rest else texts("span.hours", hours=whole)
    if hours < 48:
        return texts("span.hours", hours=round(hours))
    return texts("span.days", days=round(hours / 24))
