"""Where the words of a field stand in the lines of its inscription, and where a correction of them belongs.

Texts are compared in one form: NFC, one kind of dash and quote, single spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Postfix, Prefix

from ocr_service.fields.text import clean, squeeze

# What the parser puts between the parts of a field that runs over several lines. Matches may overlap: the comma of
# ``, `` may be the parser's or the end of the line.
_SEPARATOR = re.compile(r"(?=( / |, | ))")
_MOST_PIECES = 4  # fields that run over more lines are lists; those are kept row by row


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said about the characters ``start`` to ``end`` of a line as read: that ``text`` is cut there."""

    start: int
    end: int
    text: str

    def change(self, read: str) -> tuple[int, int, str]:
        """The part of it that differs from the line as read: from, to, and what stands there instead."""
        old = read[self.start : self.end]
        same = Prefix.similarity(old, self.text)
        tail = Postfix.similarity(old[same:], self.text[same:])
        return self.start + same, self.end - tail, self.text[same : len(self.text) - tail]


def comparable(text: str) -> str:
    """A text in the form in which texts are compared here."""
    return squeeze(clean(text))


def place(texts: Mapping[int, str], old: str, new: str) -> dict[int, list[Said]] | None:
    """What a field that reads ``old`` and that a person left or made ``new`` says of each of its lines.

    ``texts`` are its lines, by index, in ``comparable`` form. None where that cannot be said without doubt.
    """
    rows, new_rows = _rows(old), _rows(new)
    if len(rows) == len(new_rows) == len(texts) > 1:
        said: dict[int, list[Said]] = {}
        for (index, text), row, new_row in zip(texts.items(), rows, new_rows, strict=True):
            stands = _said(text, row, new_row)
            if stands is None:
                return None
            said[index] = stands
        return said
    old, new = comparable(old), comparable(new)
    holders = [index for index, text in texts.items() if old in text]
    if len(holders) == 1:
        stands = _said(texts[holders[0]], old, new)
        return None if stands is None else {holders[0]: stands}
    if holders or not 1 < len(texts) <= _MOST_PIECES:
        return None
    return _place_pieces(texts, old, new)


def _rows(text: str) -> list[str]:
    return [row for row in map(comparable, text.splitlines()) if row]


def _said(text: str, old: str, new: str) -> list[Said] | None:
    """Words left as they are stand wherever they are read; corrected ones have to be read in one place only."""
    starts = [match.start() for match in re.finditer(f"(?={re.escape(old)})", text)]
    if not starts or (len(starts) > 1 and old != new):
        return None
    return [Said(start, start + len(old), new) for start in starts]


def _place_pieces(texts: Mapping[int, str], old: str, new: str) -> dict[int, list[Said]] | None:
    found = list(_splits(list(texts.values()), old))
    if len(found) != 1:
        return None
    pieces, separators = found[0]
    new_pieces = pieces if old == new else _split_like(pieces, separators, new)
    if new_pieces is None:
        return None
    said = {}
    for (index, text), piece, new_piece in zip(texts.items(), pieces, new_pieces, strict=True):
        stands = _said(text, piece, new_piece)
        if stands is None:
            return None
        said[index] = stands
    return said


def _splits(texts: Sequence[str], old: str) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Every way to share the words of a field among lines that hold them: the pieces, and what stands between them."""
    if len(texts) == 1:
        if old in texts[0]:
            yield (old,), ()
        return
    for match in _SEPARATOR.finditer(old):
        first, separator = old[: match.start()], match[1]
        if first not in texts[0]:
            return  # nor will anything longer be
        if first and not _goes_on(texts[0], first, separator):
            for pieces, separators in _splits(texts[1:], old[match.end(1) :]):
                yield (first, *pieces), (separator, *separators)


def _goes_on(text: str, piece: str, separator: str) -> bool:
    """Whether the sign of a separator is the line's own: ``XÃ HIỆP CÁT,`` goes on in the next line."""
    return bool(separator.strip()) and piece + separator.rstrip() in text


def _split_like(pieces: Sequence[str], separators: Sequence[str], new: str) -> tuple[str, ...] | None:
    """The corrected words in pieces, where all but one piece stand in them unchanged; None where it may be two ways."""
    found = []
    for changed in range(len(pieces)):
        head = "".join(piece + gap for piece, gap in zip(pieces[:changed], separators, strict=False))
        tail = "".join(gap + piece for gap, piece in zip(separators[changed:], pieces[changed + 1 :], strict=True))
        middle = new[len(head) : len(new) - len(tail)]
        if (
            new.startswith(head)
            and new.endswith(tail)
            and len(head) + len(tail) < len(new)
            and middle.strip() == middle
        ):
            found.append((*pieces[:changed], middle, *pieces[changed + 1 :]))
    return found[0] if len(found) == 1 else None
