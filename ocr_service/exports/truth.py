"""What lines say for sure, by the word of a person: the truth that a reader may learn from.

A line is vouched for as a whole or not at all. Its words must stand in fields that a person accepted or corrected, and
what no field shows must be the words of labels, rightly spelt: a misread label that nobody saw would be learnt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache

from datasets.wording import LABELS
from ocr_service.database.documents import proposed
from ocr_service.database.values import RecordField
from ocr_service.exports.placing import Said, comparable, place
from ocr_service.records import Reading
from ocr_service.redaction import LISTING_KINDS, SEEN_FIELDS


class LeftOut(Enum):
    """Why a line is not exported; the value says it to people."""

    PERSONAL = "the photo shows data of living people"
    UNTOUCHED = "no verified field stands on the line"
    UNSEEN = "the line holds more words than the verification page shows"
    BLANKED = "a field of the line was blanked"
    MEANING = "the meaning of a field was corrected, not its words"
    RETYPED = "a correction is not in the letters of the stone, or marks unread ones"
    UNPLACED = "it is not sure where in the line a field stands"
    CONTRADICTED = "corrections of two fields do not go together"
    NO_PHOTO = "the photo is not there or cannot be read"


_PERSONAL_FLAG = "living_person_pii"
# Judged over the whole inscription; no words of it belong to them.
_WORDLESS = frozenset({"kind", "war"})
# Words around facts that are no labels of fields.
_FILLING = "liệt sĩ sỹ l s ls họ và tên bí danh tức ngày tháng năm mộ phần ông bà anh chị cô đồng chí đ c vị trí số"
_WORD = re.compile(r"\w+")
# How people mark letters that nobody can read.
_UNREAD = re.compile(r"[?_…□█]|\.\.\.")


def line_truths(reading: Reading, fields: Mapping[str, RecordField]) -> list[str | LeftOut]:
    """The text of each line as far as ``fields``, which a person has verified, vouch for it, or why there is none."""
    texts = [comparable(line.text) for line in reading.lines]
    read = proposed(reading.record)
    if _is_personal(fields) or _is_personal(read):
        return [LeftOut.PERSONAL] * len(texts)
    said: list[list[Said]] = [[] for _ in texts]
    doubts: dict[int, LeftOut] = {}
    for name in _words_of(fields):
        if name not in read or not read[name].raw:
            continue
        own = {index: texts[index] for index in read[name].lines if 0 <= index < len(texts)}
        stands = _stands(own, read[name], fields.get(name, RecordField(None, None)))
        if isinstance(stands, LeftOut):
            doubts |= dict.fromkeys(own, stands)
        else:
            for index, words in stands.items():
                said[index] += words
    return [doubts.get(index) or _truth(text, said[index]) for index, text in enumerate(texts)]


def _is_personal(fields: Mapping[str, RecordField]) -> bool:
    """Whether anything on a stone is about the living; a text too short to be struck out of records counts as well."""
    redact, whole = fields.get("redact"), fields.get("flags")
    flags = {flag for field in fields.values() for flag in field.flags} | set(whole.value or () if whole else ())
    return _PERSONAL_FLAG in flags or (redact is not None and bool(redact.raw or redact.value))


def _words_of(fields: Mapping[str, RecordField]) -> list[str]:
    """Fields whose words a person saw; persons of a stone for one may stand on another stone in the picture."""
    lists_persons = "kind" in fields and fields["kind"].value in LISTING_KINDS
    return sorted(SEEN_FIELDS - _WORDLESS - (frozenset() if lists_persons else {"persons"}))


def _stands(texts: Mapping[int, str], old: RecordField, new: RecordField) -> dict[int, list[Said]] | LeftOut:
    """What a field says of its lines: as it was read (``old``), and as a person left it (``new``)."""
    if old.raw is None or new.raw is None:
        return LeftOut.BLANKED
    if new.raw == old.raw:
        # who corrects the meaning alone may have meant the words
        stands = place(texts, old.raw, old.raw) if new.value == old.value else LeftOut.MEANING
    elif not _is_as_cut(old.raw, new.raw):
        return LeftOut.RETYPED
    else:
        stands = place(texts, old.raw, new.raw)
    return LeftOut.UNPLACED if stands is None else stands


def _is_as_cut(old: str, new: str) -> bool:
    """Whether a correction copies the stone: in its capitals, without signs for what cannot be read."""
    if _UNREAD.search(new) and not _UNREAD.search(old):
        return False
    return new == new.upper() if old.isupper() else old.islower() or not new.islower()


def _truth(text: str, said: Sequence[Said]) -> str | LeftOut:
    if not said:
        return LeftOut.UNTOUCHED
    if not _is_seen(text, said):
        return LeftOut.UNSEEN
    changes = {words: words.change(text) for words in said}
    edits = sorted({(start, end, new) for start, end, new in changes.values() if start < end or new})
    for words, own in changes.items():
        if any(edit != own and edit[0] < words.end and words.start < edit[1] for edit in edits):
            return LeftOut.CONTRADICTED
    if len({start for start, _, _ in edits}) < len(edits):
        return LeftOut.CONTRADICTED
    for start, end, new in reversed(edits):
        text = text[:start] + new + text[end:]
    return comparable(text)


def _is_seen(text: str, said: Sequence[Said]) -> bool:
    """Whether every word of a line stands in a field or is a label's."""
    shown = [False] * len(text)
    for words in said:
        shown[words.start : words.end] = [True] * (words.end - words.start)
    rest = "".join(" " if seen else letter for letter, seen in zip(text, shown, strict=True))
    return all(word.lower() in _label_words() for word in _WORD.findall(rest))


@cache
def _label_words() -> frozenset[str]:
    labels = " ".join(label for labels in LABELS.values() for label in labels)
    return frozenset(_WORD.findall(f"{labels} {_FILLING}".lower()))
