"""Field labels on stones, in full, abbreviated or misread, and the cutting of lines into labelled segments.

Full labels (``quê quán``) count wherever they stand; short ones (``HS``, ``Sinh``, ``Quê``) only where a field may
begin and where what follows fits: ``CB: HS  CV: at`` holds no date of death.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ocr_service.fields.label_table import (
    ALONE,
    BY_KEY,
    COLON,
    DATE_AHEAD,
    DATED,
    ENTRIES,
    LETTERS,
    SHORT,
    TEXT_AHEAD,
    Found,
    Label,
)
from ocr_service.fields.misread_labels import garbled_label, misread_labels
from ocr_service.fields.name_spelling import surnames
from ocr_service.fields.names import begins_with_surname
from ocr_service.fields.text import fold, key, within_one_edit


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one line that belongs to one label, or to none."""

    label: Label | None
    text: str
    line: int
    misread_label: bool = False
    gap_before: bool = False

    @property
    def field(self) -> str | None:
        """Field of the label, None where there is none."""
        return self.label.field if self.label else None


def _pattern(words: str) -> str:
    pattern = re.escape(words).replace(r"\ ", r"[ \t]*").replace(r"\.", r"[./][ \t]*")
    return pattern.replace("y", "[yi]")


_FULL_RE = re.compile(r"(?<![a-z0-9])(?:" + "|".join(_pattern(words) for words, _ in ENTRIES) + r")(?![a-z])")
_AHEAD = {"date": DATE_AHEAD, "number": r"(?=[ \t]*[:=]?[ \t]*\d)", "text": TEXT_AHEAD, "colon": COLON}
# A misread "Đ.VỊ:" may run into the code behind it: ĐVIB4. Only a letter of a unit and its number may follow.
_AHEAD["code"] = r"(?=[a-fk]\d)"
_ONE_WORD = frozenset({"mất", "quê", "tức", "nhằm", "thọ", "tuổi", "tên", "họ tên", "đi b", "đvi", "đvị"})
_SHORT_RE = re.compile(
    "|".join(
        f"(?P<g{i}>(?<![a-z0-9])(?:{pattern})(?:{'' if ahead == 'code' else '(?![a-z])'}{_AHEAD[ahead]}|{COLON}))"
        for i, (_, pattern, ahead, _) in enumerate(SHORT)
    )
)
_START = re.compile(r"(?:^|[,;:.|()\u00b7\-/\"]|\d)[ \t]*$|[ \t]{2,}$")
_HOLE = re.compile(r"[ \t]*[:=]?[ \t]*(?:[.\-][ \t]*(?=\d))?")


def cut_line(text: str, line: int) -> list[Segment]:
    """Segments of one line, in order; text before the first label comes first, without a label."""
    folded = fold(text)
    found = _full_labels(folded, text)
    found = [match for match in found if not _is_surname(match, text, folded)]
    shorts = _short_labels(folded, text)
    abbreviated = [match for match in shorts if len(key(folded[match[0] : match[1]])) <= 2]
    found += [match for match in abbreviated if all(_apart(match, other) for other in found)]
    wrong = [match for match in misread_labels(folded, text, found) if not _is_surname(match, text, folded)]
    found += [match for match in wrong if all(_apart(match, other) for other in found)]
    found += [match for match in shorts if all(_apart(match, other) for other in found)]
    if all(start for start, _, _, _ in found) and (garbled := garbled_label(folded, text, found)):
        found.append(garbled)
    if not found:
        alone = ALONE.get(key(folded.translate(LETTERS)))
        if (
            alone
            and len(folded.split()) == 1
            and (text.isascii() or text.strip(" .:").lower() in ("quê", "đv", "đ.v", "đ/v"))
        ):
            return [Segment(alone, "", line)]
        return [Segment(None, text, line)]
    found.sort(key=lambda match: match[0])
    segments: list[Segment] = []
    first = found[0][0]
    if not _is_crumb(text[:first]):
        segments.append(Segment(None, text[:first], line))
    for i, (start, end, label, misread) in enumerate(found):
        hole = _HOLE.match(text, end)
        begin = hole.end() if hole else end
        stop = found[i + 1][0] if i + 1 < len(found) else len(text)
        gap = bool(re.search(r"[ \t]{2,}$", text[:start])) and start > 0
        body = text[begin:stop] if begin <= stop else ""
        segments.append(Segment(label, body, line, misread, gap))
    return segments


def _is_crumb(text: str) -> bool:
    """Whether nothing stands there but signs, or a misread ``ngày``."""
    bare = text.strip(" .,;:-\u00b7|*+")
    return not bare or within_one_edit(key(bare), "ngai")


def _apart(left: Found, right: Found) -> bool:
    return left[1] <= right[0] or right[1] <= left[0]


def _is_surname(match: Found, text: str, folded: str) -> bool:
    """``NGUYỄN QUÁN`` is a person; ``NGUYÊN QUÁN`` is a label, and so is either before a colon."""
    start, end, _, _ = match
    if not folded.startswith("nguyen", start) or re.match(r"[ \t]*[:=]", folded[end:]):
        return False
    return "ễ" in text[start:end].lower() or not folded[end:].strip()


def _full_labels(folded: str, text: str) -> list[Found]:
    found: list[Found] = []
    for match in _FULL_RE.finditer(folded):
        label = BY_KEY.get(key(match.group()))
        if label is None:
            continue
        before, after = folded[: match.start()], folded[match.end() :]
        if label.field == "rank" and key(match.group()) == "cap" and not re.match(r"[ \t]*:", after):
            continue
        if before.strip() and not after.strip(" .,;-\u00b7") and not _START.search(before):
            continue  # a name that ends in a label's words: NGUYỄN HY SINH
        if label.field in DATED and not before.strip() and not re.search(r"[\d:]", after) and begins_with_surname(text):
            continue  # TẠ THẾ THANH
        if label.field == "gathered" and re.search(r"\bda\s+(?:duoc\s+)?$", before):
            continue  # đã quy tập về quê: the grave is empty
        if key(match.group()) == "qquan" and re.match(r"[ \t]*\d", after):
            continue  # Q. QUẬN 12 is a district
        if key(match.group()) == "dangvien" and "đảng" not in text.lower() and ":" not in after:
            continue  # Đặng Viên is a name
        if before.rstrip().endswith("(") and not after.strip(" .)"):
            continue  # NĂM ĐỨC (bí danh): said of the name before it
        if label.field == "burial" and re.search(r"\bnoi $", before):
            continue
        start = match.start()
        if label.field == "birth" and _is_misread_hy(text[:start]):
            label, start = Label("death"), 0
        found.append((start, match.end(), label, start != match.start()))
    return found


def _is_misread_hy(before: str) -> bool:
    """``EY SINH``, ``NGÀY Y SINH`` are a death: a stray syllable like ``hy`` before ``sinh`` that is no family name."""
    first, _, word = before.strip().rpartition(" ")
    if first and not within_one_edit(key(first), "ngai"):
        return False
    return 1 <= len(word) <= 3 and within_one_edit(key(word), "hi") and word.lower() not in surnames()


def _short_labels(folded: str, text: str) -> list[Found]:
    found: list[Found] = []
    for match in _SHORT_RE.finditer(folded):
        group = int(str(match.lastgroup)[1:])
        field, _, _, verb = SHORT[group]
        before, after = folded[: match.start()], folded[match.end() :]
        if field == "birth" and match.group() == "sinh" and _is_misread_hy(text[: match.start()]):
            found.append((0, match.end(), Label("death"), True))
            continue
        colon = bool(re.match(r"[ \t]*:", after))
        fits = bool(_START.search(before)) or (before.endswith(" ") and colon)
        if not fits and field in ("birth", "death", "hometown") and before.endswith(" "):
            # Paragraph stones without any sign: SINH 1947 QUÊ HÀ BẮC. A year, or a label's text, must come before.
            fits = bool(re.search(r"\d{2}[^\d]*$", before)) or (
                field != "hometown" and bool(re.match(r"\s*\d{4}", after))
            )
            if fits and field != "hometown" and not re.search(r"\d", before):
                fits = len(before.split()) >= 3
        if fits and _is_spelled_so(text[match.start() : match.end()], after):
            found.append((match.start(), match.end(), Label(field, verb), False))
    return found


def _is_spelled_so(cut: str, after: str) -> bool:
    """Whether a label of one word has its own tones: ``Quê`` is one, ``Quế Võ`` a district. A colon makes up for it."""
    word = cut.lower().strip(" .")
    return (
        len(word) < 3 or word.isascii() or word in _ONE_WORD or not word.isalpha() or bool(re.match(r"[ \t]*:", after))
    )
