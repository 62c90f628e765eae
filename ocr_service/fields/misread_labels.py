"""Labels in which the reader took letters for others, for digits or for none."""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from ocr_service.fields.gazetteer import gazetteer
from ocr_service.fields.label_table import (
    ALONE,
    BEFORE_DATES,
    BY_KEY,
    DATED,
    ENTRIES,
    LETTERS,
    NEED_NO_COLON,
    Found,
    Label,
)
from ocr_service.fields.names import begins_with_surname
from ocr_service.fields.places import known_place, likely_place
from ocr_service.fields.positions import read_position
from ocr_service.fields.ranks import read_rank
from ocr_service.fields.syllables import is_syllable
from ocr_service.fields.text import key, one_deletion, within_one_edit
from ocr_service.fields.units import read_unit

# Two letters and their sign as readers miss them, right before a colon: a round letter for C or Q, and a stroke read as
# a letter (ĐZV, C7B). "NO:" is hometown only before letters: No: 12 is a grave.
_MISREAD_PAIR = re.compile(
    r"\s*(?P<first>[a-z0])(?:[ ./|]{1,2}|[z17il|])?(?P<last>[a-z0])[ \t]*[:=](?P<after>[ \t]*\S{0,2})"
)
_PAIRS = {
    **{pair: Label("rank") for pair in ("cb", "ob", "gb", "eb")},
    **{pair: Label("position") for pair in ("cv", "ov", "ev")},
    **{pair: Label("unit") for pair in ("dv",)},
    **{pair: Label("hometown") for pair in ("qq", "nq", "oq", "qo", "no")},
    **{pair: Label("death") for pair in ("hs",)},
    **{pair: Label("birth") for pair in ("sn", "ns")},
    **{pair: Label("enlist") for pair in ("nn",)},
}
_FORMS: dict[str, list[str]] = {}
_SPELLED = {key(words) for words, _ in ENTRIES} | set(BEFORE_DATES)
_LABELS = BY_KEY | BEFORE_DATES
for _known in sorted(_SPELLED):
    if len(_known) >= 5:
        for _form in one_deletion(_known):
            _FORMS.setdefault(_form, []).append(_known)
_LONG_KEYS = sorted(known for known in _SPELLED if len(known) >= 6)
_SHORT_DATED = {"sn": "birth", "ns": "birth", "nn": "enlist", "hs": "death", "mat": "death"}
_GARBLED_SHORT = re.compile(
    r"^\W*(?P<cut>[a-z0-9|](?:[./, \-]{0,2}[a-z0-9|]){0,3})(?:[^\w/]*[:=.]+[^\w/]*|\s+|(?=/))"
    r"(?=\d{1,2}\s?[./\-]|/\s?\d|ngay|thang|(?:nam\s)?\s*[12i][09]\d)"
)
_DATE_BEHIND = re.compile(r"\W*(?:[a-z]\W*)?(?:\d|ngay|thang|nam\b)")
_BEFORE_PLACE = re.compile(r"^\W*(?P<cut>[^:,;]{1,14}?)\s*(?::|(?<=[qQoO0nN])\.\s)(?P<rest>.+[-,;].+)$")
_ADDRESS = re.compile(r"^\s*d[./]?\s?c\.?\s+")
_ADMIN_LETTERS = frozenset({"x", "p", "h", "t", "tt", "tx", "tp", "th", "xom", "thon", "ap", "to", "doi", "kp", "tdp"})
# Letters of the shortest label that may run into its text, from where two may be wrong, and the last letter looked at.
_SHORTEST, _LONG, _FURTHEST = 6, 9, 26
_WORD = re.compile(r"[^\s:;,.=()\-]+|[.\-](?=\S)")
_LABEL_END = re.compile(r":|\s-\s|\d[./\-]\d")


def _label_words(folded: str, start: int) -> list[re.Match[str]]:
    """Up to four words that may spell a label: none beyond a colon, none that is a number."""
    stop = _LABEL_END.search(folded, start)
    words = list(_WORD.finditer(folded, start, min(start + 40, stop.start() if stop else len(folded))))[:4]
    numbers = [i for i, word in enumerate(words) if _is_number(word.group())]
    return words[: numbers[0]] if numbers else words


def _is_number(word: str) -> bool:
    """Whether a word that begins with a digit is one: not SINH read as 5INH, nor two letters read as digits."""
    return word[0].isdigit() and len(word) != 2 and sum(char.isalpha() for char in word) < 3


@lru_cache(maxsize=4096)
def _misread_key(cut: str, edits: int) -> Label | None:
    """The label whose key is one letter away, or two for long ones, if all such labels name one field."""
    if cut in BY_KEY:
        return BY_KEY[cut]
    if len(cut) < 5:
        return None
    near = {known for form in one_deletion(cut) for known in _FORMS.get(form, ()) if within_one_edit(known, cut)}
    if not near and edits == 2 and len(cut) >= 7:
        near = {known for known in _LONG_KEYS if Levenshtein.distance(known, cut, score_cutoff=2) <= 2}
    labels = {_LABELS[known] for known in near}
    fields = {label.field for label in labels}
    if fields == {"hometown", "residence"}:
        return Label("hometown")
    return min(labels, key=lambda label: label.verb) if len(fields) == 1 else None


def misread_labels(folded: str, text: str, found: list[Found]) -> list[Found]:
    """Labels with wrong letters at the start of the line, after a wide gap, or right before a colon."""
    misread: list[Found] = []
    starts = {0} | {match.end() for match in re.finditer(r"[ \t]{2,}|[;,|]\s*", folded)}
    for start in sorted(starts):
        if any(begin <= start < end for begin, end, _, _ in found):
            continue
        words = _label_words(folded, start)
        named = start == 0 and begins_with_surname(text)
        for count in range(len(words), 0, -1):
            end = words[count - 1].end()
            after = folded[end : end + 12]
            colon = re.match(r"[ \t]*[:=]", after)
            cut = key(folded[words[0].start() : end].translate(LETTERS))
            if not 4 <= len(cut) <= 20 or (cut[-1:].isdigit()):
                continue
            label = _misread_key(cut, 2 if colon else 1)
            if label and label.field in DATED and begins_with_surname(text[end:].strip(" .:=-")):
                continue  # ĐA MINH: MAI VẬN is a saint and a person
            if label and not colon and (gazetteer().districts(cut) or known_place(text)):
                continue  # Định Quán is a district, not a misread "sinh quán"
            if label is None or (cut in BY_KEY and not colon and not after.strip()):
                continue
            if label in BEFORE_DATES.values() and not re.match(r"[ \t:=.\-]*(?:\d|ngay|thang|nam\b)", after):
                continue
            dated = re.match(r"[ \t]*[.\-]?[ \t]*(?:\d|ngay|thang|nam\b)", after)
            wrong = any(not is_syllable(text[word.start() : word.end()]) for word in words[:count])
            bare = wrong and label.field in NEED_NO_COLON and count >= 2 and after.strip() and not named and start == 0
            if colon or (wrong and label.field in DATED and dated) or bare:
                misread.append((words[0].start(), end, label, True))
                break
        else:
            pair = _misread_pair(folded[start : start + 12])
            if pair:
                misread.append((start, start + pair[0], pair[1], True))
                continue
            abbreviation = re.match(r"\s*([a-z0-9|]{1,2})[ \t]*[:=]", folded[start : start + 8])
            if abbreviation and not abbreviation[1].isdigit():
                label = ALONE.get(abbreviation[1].translate(LETTERS))
                if label:
                    misread.append((start + abbreviation.start(1), start + abbreviation.end(1), label, True))
    return misread


# No other label has a Q than those of the hometown and of the last residence (TQ).
_MISREAD_Q = re.compile(
    r"\s*(?:(?=[a-z0-9./ ]{2,5}[ \t]*:)[a-su-z0-9]?[./ ]?q[./ ]?[a-z0-9]?|q[./][a-z0-9]{2,5})\.?"
    r"(?=[ \t]*:[ \t]*[^\W\d])"
)


def _misread_pair(folded: str) -> tuple[int, Label] | None:
    """Where a misread abbreviation at the start ends, and what it says."""
    hometown = _MISREAD_Q.match(folded)
    if hometown:
        return hometown.end(), Label("hometown")
    match = _MISREAD_PAIR.match(folded)
    if match is None:
        return None
    label = _PAIRS.get((match["first"] + match["last"]).replace("0", "o"))
    after = match["after"].strip()
    if label is None:
        return None
    misfit = label.field == "hometown" and not (len(after) == 2 and after.isalpha())
    if misfit or (label.field in DATED and not after[:1].isdigit()):
        return None
    return match.end("last"), label


def garbled_label(folded: str, text: str, found: list[Found]) -> Found | None:
    """A label at the start of a line of which more is wrong than a letter, believed for what stands behind it.

    ``SINH QUÁNỎTHANH THỦY - VỊ XUYÊN``, ``HJS: 14-9-1975``, ``Ẹ/quán: Mỹ Hòa - Tháp Mười``. ``found`` are the labels
    further on in the line.
    """
    if begins_with_surname(text) or known_place(text):
        return None
    address = _ADDRESS.match(folded)
    if address and known_place(text[address.end() :]):
        return 0, address.end(), Label("residence"), False
    stop = min((start for start, _, _, _ in found), default=len(text))
    folded, text = folded[:stop], text[:stop]
    return _short_before_date(folded) or _run_in(folded, text) or _before_name(text) or _before_place(text)


def likely_dates(cut: str) -> frozenset[str]:
    """Fields of the dates of which a cut of one to four letters may be the abbreviation, one letter apart."""
    bare = key(cut.translate(LETTERS))
    if bare in _SHORT_DATED:
        return frozenset({_SHORT_DATED[bare]})
    return frozenset(field for short, field in _SHORT_DATED.items() if within_one_edit(bare, short))


def _short_before_date(folded: str) -> Found | None:
    match = _GARBLED_SHORT.match(folded)
    if match is None or not any(char.isalpha() for char in match["cut"]):
        return None
    fields = likely_dates(match["cut"])
    return (0, match.end("cut"), Label(next(iter(fields))), True) if len(fields) == 1 else None


def _run_in(folded: str, text: str) -> Found | None:
    """The label nearest to the first letters of a line, whose text fits behind it."""
    letters = [(i, char) for i, char in enumerate(folded[:_FURTHEST].translate(LETTERS)) if char.isalnum()]
    ways: list[tuple[int, int, Label, int]] = []
    for count in range(_SHORTEST, len(letters) + 1):
        end = letters[count - 1][0] + 1
        if text[end - 1 : end + 1].isdigit() and len(text) > end:
            continue
        cut = "".join(char for _, char in letters[:count]).replace("y", "i")
        label = _misread_key(cut, 2 if count >= _LONG else 1)
        if label is not None:
            wrong = min(Levenshtein.distance(cut, known) for known, other in _LABELS.items() if other == label)
            if wrong <= 1 or label.field not in DATED:  # dates are left to the order of a life
                ways.append((wrong, -count, label, end))
    for _, _, label, end in sorted(ways, key=lambda way: way[:2]):
        if _fits(label.field, folded[end:], text[end:]):
            return 0, end, label, True
    return None


def _fits(field: str, folded: str, text: str) -> bool:
    """Whether what stands behind a label is what it announces."""
    if field in ("birth", "enlist", "death", "party"):
        return bool(_DATE_BEHIND.match(folded)) and bool(re.search(r"\d\d", folded))
    if field in ("hometown", "residence"):
        return likely_place(text.strip(" .:-"))
    if field == "unit":
        return bool(read_unit(text).chain)
    if field == "rank":
        return read_rank(text, labelled=False) is not None
    if field == "position":
        return read_position(text, labelled=False) is not None
    return field == "name" and begins_with_surname(text.strip(" .:-"))


def _before_name(text: str) -> Found | None:
    """A few letters and a colon before a full name, one letter away from "họ tên": Họ ên: KIỀU VĂN THƯỜNG."""
    cut, colon, rest = text.partition(":")
    bare = key(cut)
    if not colon or not any(within_one_edit(bare, known) for known in ("ten", "hoten", "hovaten")):
        return None
    return (0, len(cut), Label("name"), True) if begins_with_surname(rest) else None


def _before_place(text: str) -> Found | None:
    """Some letters and a colon before a place with its district: only a hometown is announced so."""
    match = _BEFORE_PLACE.match(text)
    if match is None or key(match["cut"]) in _ADMIN_LETTERS:
        return None
    return (0, match.end("cut"), Label("hometown"), True) if likely_place(match["rest"]) else None
