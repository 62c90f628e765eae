"""A record while it is being filled: facts as they are found, each with its lines, its flags and how sure it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ocr_service.fields.confidence import field_confidence
from ocr_service.fields.text import fold, squeeze
from ocr_service.records import Alternative, Context, Field

# The reader's confidence is the chance that a line is exactly right: below 0.2 four lines of five are wrong, and what
# looks like a word may be stains; below 0.5 a line is wrong rather than right.
GUESSED_BELOW, UNSURE_BELOW = 0.2, 0.5
# Below it the pixels say nothing for another reading, and a place that exists proves little: on held-out rendered
# stones the reader's 0.001 for Tứ Xã and Hoàng Hoa beat Tứ Xá and Hoàng Hoá, which stood there.
LEAST_SCORE = 0.02

# Lines that one fact may run over; a text that repeats itself endlessly must not cost more than its length.
_MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class Item:
    """A stretch of the inscription that says one thing: its field (None: no label), its text and its lines."""

    field: str | None
    text: str
    lines: tuple[int, ...]
    verb: str = ""
    misread_label: bool = False
    stated: bool = True  # False where the field was concluded from place or content


@dataclass(slots=True)
class Draft:
    """Facts found so far. The first finding of a fact stays unless a later one is put in its place on purpose."""

    context: Context
    line_confidence: Sequence[float]
    fields: dict[str, Field] = field(default_factory=dict)
    flags: dict[str, None] = field(default_factory=dict)
    headers: list[Item] = field(default_factory=list)
    dates: list[Item] = field(default_factory=list)
    unread: list[Item] = field(default_factory=list)
    doubtful_names: list[Item] = field(default_factory=list)
    personal: dict[str, None] = field(default_factory=dict)  # names and numbers of the living
    personal_lines: list[Item] = field(default_factory=list)
    other_readings: Mapping[int, tuple[Alternative, ...]] = field(default_factory=dict)

    def flag(self, *names: str) -> None:
        """Note what is unusual about the inscription."""
        self.flags.update(dict.fromkeys(names))

    def has(self, name: str) -> bool:
        """Whether a fact was found, a null one included."""
        return name in self.fields

    def value(self, name: str) -> Any:
        """Value of a fact found so far."""
        return self.fields[name].value if name in self.fields else None

    def headed(self) -> str:
        """All headers in one text, folded."""
        return fold(" ".join(header.text for header in self.headers))

    def head(self, text: str, item: Item) -> None:
        """Note a line or the start of one as a header."""
        self.headers.append(Item("header", squeeze(text), item.lines))

    def sure(self, item: Item) -> float:
        """The reader's confidence in the least sure line of an item; 1 for what no line says."""
        known = (self.line_confidence[line] for line in item.lines if line < len(self.line_confidence))
        return min(known, default=1.0)

    def is_doubtful(self, item: Item) -> bool:
        """Whether the reader as good as guessed a line of an item, so that what it spells proves nothing."""
        return self.sure(item) < GUESSED_BELOW

    def put(
        self,
        name: str,
        value: Any,
        item: Item,
        *,
        raw: str | None = None,
        flags: Iterable[str] = (),
        fit: float = 1.0,
        replace: bool = False,
    ) -> None:
        """Record a fact. ``fit`` (0–1) is how well it agrees with what is known (gazetteer, calendar, syllables)."""
        listed = tuple(dict.fromkeys(flags))
        self.flag(*listed)
        if name in self.fields and not replace:
            return
        lines = [self.line_confidence[line] for line in item.lines if line < len(self.line_confidence)]
        sure = field_confidence(lines, fit=fit, flags=listed, misread_label=item.misread_label, stated=item.stated)
        cut = item.text.strip() if raw is None else raw
        self.fields[name] = Field(value, cut, 0.0 if value is None else sure, item.lines, listed)

    def join(self, name: str, values: Mapping[str, Any], item: Item, flags: Iterable[str] = ()) -> None:
        """Add entries to a fact that is a mapping; entries already there stay."""
        old = self.fields.get(name)
        if old is not None and len(old.lines) >= _MOST_LINES:
            self.unread.append(item)
            return
        known = dict(old.value) if old is not None and isinstance(old.value, Mapping) else {}
        merged = dict(values) | known
        raw = item.text.strip() if old is None or not old.raw else f"{old.raw} / {item.text.strip()}"
        lines = tuple(dict.fromkeys((*(old.lines if old else ()), *item.lines)))
        self.put(name, merged, Item(item.field, item.text, lines), raw=raw, flags=flags, replace=True)
