"""Field labels on stones, in full, abbreviated or misread, and the cutting of lines into labelled segments.

Full labels (``quê quán``) count wherever they stand; short ones (``HS``, ``Sinh``, ``Quê``) only where a field may
begin and where what follows fits: ``CB: HS  CV: at`` holds no date of death.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from ocr_service.fields.gazetteer import gazetteer
from ocr_service.fields.name_spelling import surnames
from ocr_service.fields.names import begins_with_surname
from ocr_service.fields.syllables import is_syllable
from ocr_service.fields.text import fold, key, one_deletion, within_one_edit

# Field → full labels, folded. The value after "=" is the verb that the label says.
_FULL: dict[str, str] = {
    "birth": "ngay thang nam sinh, sanh nam, nam sanh, sanh ngay, sinh ngay, sinh nam, nam sinh, ngay sinh, "
    "sinh thang, ngay thang sinh, sinh vao",
    "enlist": "ngay nhap ngu, nhap ngu ngay, nam nhap ngu, nhap ngu nam, nhap ngu thang, nhap ngu, nh.ngu, n.ngu, "
    "vao bo doi=vao_bo_doi, di bo doi=vao_bo_doi, vao quan doi=vao_bo_doi, ngay vao bo doi=vao_bo_doi, "
    "tham gia cach mang=tham_gia_cm, tham gia cm=tham_gia_cm, tgcm=tham_gia_cm, t.g.c.m=tham_gia_cm, "
    "tham gia khang chien=tham_gia_cm, thoat ly=thoat_ly, tai ngu=tai_ngu, di b ngay=di_b, ngay di b=di_b",
    "death": "ngay hy sinh, hy sinh ngay, hy sinh nam, nam hy sinh, hy sinh, h.sinh, hi sinh, ngay hi sinh, "
    "hi sinh ngay, hi sinh nam, tu tran=tu_tran, t.tran=tu_tran, tu tran ngay=tu_tran, ta the=ta_the, "
    "ta the ngay=ta_the, menh chung=ta_the, an nghi ngay=ta_the, mang phan=mat, qua doi=qua_doi, "
    "ngay mat=mat, mat ngay=mat, mat nam=mat, ngay gio=mat, tu nan=tu_nan, tu tran nam=tu_tran",
    "hometown": "que quan, nguyen quan, sinh quan, noi sinh, q.quan, q/quan, n.quan, n/quan, ng.quan, que o, "
    "quoc tich",
    "mailbox": "hom thu, hop thu",
    "residence": "tru quan, thuong tru, thuong tru tai, cho o, dia chi, noi o, cho o truoc khi nhap ngu, t.quan",
    "rank": "cap bac, quan ham, c.bac, c/bac, cap ham, cap",
    "rank_position_unit": "cap bac chuc vu don vi, cap bac - chuc vu - don vi",
    "rank_position": "cap bac chuc vu, cap bac - chuc vu, cap bac/chuc vu, chuc vu cap bac, cap chuc, cb - cv, cb/cv, "
    "cb,cv",
    "position": "chuc vu, c.vu, c/vu, ch.vu, chuc danh, nhiem vu",
    "unit": "don vi, d.vi, d/vi, dvi, phien hieu, co quan don vi, co quan, don vi chien dau, dv khi hy sinh",
    "party": "dang vien, vao dang, ngay vao dang, ket nap dang, vao dang ngay, nam vao dang",
    "name": "ho va ten, ho ten, ten liet si, ten liet sy, ho ten liet si, h.ten, ho va ten liet si",
    "alias": "bi danh, ten thuong goi, ten goi khac, ten khac, con goi la, con goi, ten thuong dung, ten goi",
    "age": "huong duong, huong tho, thuong tho, dai tho, tuoi doi",
    "death_place": "noi hy sinh, noi hi sinh, truong hop hy sinh, dia diem hy sinh",
    "burial": "noi an tang ban dau, an tang ban dau, noi an tang, an tang tai, an tang, mai tang, chon cat, "
    "noi chon cat, noi mai tang",
    "gathered": "quy tap tu, quy tap nam, quy tap ngay, quy tap, ngay quy tap, noi quy tap, cat boc, don vi quy tap, "
    "noi cat boc",
    "lunar": "tuc ngay, nham ngay, tuc la ngay, gio ngay",
    "other": "phap danh, ten thanh, ton giao, dan toc, giao ho, giao xu, trinh do, thanh phan",
}  # fmt: skip
_DATED = frozenset({"birth", "enlist", "death", "party", "lunar"})

# Fields whose misread labels are believed without a colon; the words of the others may be names.
_NEED_NO_COLON = frozenset({"hometown", "unit", "rank", "position"})

_BLANKS = r"[ \t]*"
_DATE_AHEAD = (
    r"(?=[ \t]*[:=.\-]*[ \t]*(?:\d|[il|o]\d|[?~/\u2026('_]|\.\.|ngay\b|thang\b|nam\b|khoang\b|mong\b|mung\b|mua\b"
    r"|tet\b|dau\b"
    r"|cuoi\b|giua\b|ram\b|k\s?/?\s?c|trong\b|tai\b|o\b|nham\b|vao\b|xuan\b|chong\b|"
    + "giap|at|binh|dinh|mau|ky|canh|tan|nham|quy|cmcn|bvtq|bgtn|bgpb|qtnv|bao ve|mat tran|chien truong|bien gioi"
    r"))"
)
_COLON = r"(?=[ \t]*[:=])"
_TEXT_AHEAD = r"(?=[ \t]*[:=\-]|[ \t]+\S)"
# Short labels: (field, pattern, what must follow, may it stand after a mere space when a colon follows, verb)
_SHORT: tuple[tuple[str, str, str, str], ...] = (
    ("birth", r"s[./]?\s?n\.?|n[./]?\s?s\.?|sinh", "date", ""),
    ("enlist", r"n[./]?\s?n\.?", "date", ""),
    ("enlist", r"di b", "date", "di_b"),
    ("death", r"h[./]?\s?s\.?", "date", ""),
    ("death", r"mat", "date", "mat"),
    ("hometown", r"q[./]?\s?q\.?|n[./]?\s?q\.?|que", "text", ""),
    ("residence", r"t[./]?\s?q\.?", "text", ""),
    ("residence", r"d[./]?c", "colon", ""),
    ("rank", r"c[./]?\s?b\.?", "text", ""),
    ("position", r"c[./]?\s?v\.?", "text", ""),
    ("unit", r"d[./]?\s?v\.?|b[./]d\.?", "text", ""),
    ("mailbox", r"h[./]?t", "colon", ""),
    ("party", r"v\.?d\.?", "colon", ""),
    ("name", r"ten|ho ten", "colon", ""),
    ("alias", r"b[./]?\s?d|tuc danh", "colon", ""),
    ("age", r"tho|tuoi", "number", ""),
    ("burial", r"at", "colon", ""),
    ("lunar", r"tuc|nham", "date", ""),
    ("lunar", r"a\.?\s?l\.?|am lich", "colon", ""),
    ("death", r"an nghi", "date", "ta_the"),
    ("unit", r"d[./]?\s?vi?", "code", ""),
)


@dataclass(frozen=True, slots=True)
class Label:
    """What a label says: the field, and the verb of it where that tells more (``tu_tran``, ``di_b``)."""

    field: str
    verb: str = ""


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


def _entries() -> list[tuple[str, Label]]:
    entries: list[tuple[str, Label]] = []
    for field, listed in _FULL.items():
        for entry in listed.split(", "):
            words, _, verb = entry.strip().partition("=")
            if words:
                entries.append((words, Label(field, verb)))
    entries += [("cap bac, chuc vu", Label("rank_position")), ("cb, cv", Label("rank_position"))]
    return sorted(entries, key=lambda entry: -len(entry[0]))


_ENTRIES = _entries()
_BY_KEY = {key(words): label for words, label in reversed(_ENTRIES)}


@lru_cache(maxsize=1)
def date_labels() -> dict[str, tuple[str, ...]]:
    """Keys of the spelled labels of birth, enlistment and death."""
    return {
        field: tuple(known for known, label in _BY_KEY.items() if label.field == field and len(known) >= 5)
        for field in ("birth", "enlist", "death")
    }


def _pattern(words: str) -> str:
    pattern = re.escape(words).replace(r"\ ", r"[ \t]*").replace(r"\.", r"[./][ \t]*")
    return pattern.replace("y", "[yi]")


_FULL_RE = re.compile(r"(?<![a-z0-9])(?:" + "|".join(_pattern(words) for words, _ in _ENTRIES) + r")(?![a-z])")
_AHEAD = {"date": _DATE_AHEAD, "number": r"(?=[ \t]*[:=]?[ \t]*\d)", "text": _TEXT_AHEAD, "colon": _COLON}
# A misread "Đ.VỊ:" may run into the code behind it: ĐVIB4. Only a letter of a unit and its number may follow.
_AHEAD["code"] = r"(?=[a-fk]\d)"
_ONE_WORD = frozenset({"mất", "quê", "tức", "nhằm", "thọ", "tuổi", "tên", "họ tên", "đi b", "đvi", "đvị"})
_SHORT_RE = re.compile(
    "|".join(
        f"(?P<g{i}>(?<![a-z0-9])(?:{pattern})(?:{'' if ahead == 'code' else '(?![a-z])'}{_AHEAD[ahead]}|{_COLON}))"
        for i, (_, pattern, ahead, _) in enumerate(_SHORT)
    )
)
_START = re.compile(r"(?:^|[,;:.|()\u00b7\-/\"]|\d)[ \t]*$|[ \t]{2,}$")
_ALONE = {
    **{short: Label("death") for short in ("hs",)},
    **{short: Label("birth") for short in ("sn", "ns", "sinh")},
    **{short: Label("enlist") for short in ("nn",)},
    **{short: Label("hometown") for short in ("qq", "nq", "que")},
    **{short: Label("unit") for short in ("dv",)},
}
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
_SPELLED = {key(words) for words, _ in _ENTRIES if "." not in words and "/" not in words}
for _known in sorted(_SPELLED):
    if len(_known) >= 5:
        for _form in one_deletion(_known):
            _FORMS.setdefault(_form, []).append(_known)
_LONG_KEYS = sorted(known for known in _SPELLED if len(known) >= 6)
_LETTERS = str.maketrans("01|!5489", "oiiisabg")
_WORD = re.compile(r"[^\s:;,.=()\-]+|[.\-](?=\S)")
_LABEL_END = re.compile(r":|\s-\s|\d[./\-]\d")
_HOLE = re.compile(r"[ \t]*[:=]?[ \t]*(?:[.\-][ \t]*(?=\d))?")


def cut_line(text: str, line: int) -> list[Segment]:
    """Segments of one line, in order; text before the first label comes first, without a label."""
    folded = fold(text)
    found = _full_labels(folded, text)
    found = [match for match in found if not _is_surname(match, text, folded)]
    shorts = _short_labels(folded, text)
    abbreviated = [match for match in shorts if len(key(folded[match[0] : match[1]])) <= 2]
    found += [match for match in abbreviated if all(_apart(match, other) for other in found)]
    wrong = [match for match in _misread_labels(folded, text, found) if not _is_surname(match, text, folded)]
    found += [match for match in wrong if all(_apart(match, other) for other in found)]
    found += [match for match in shorts if all(_apart(match, other) for other in found)]
    if not found:
        alone = _ALONE.get(key(folded.translate(_LETTERS)))
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


_Found = tuple[int, int, Label, bool]


def _apart(left: _Found, right: _Found) -> bool:
    return left[1] <= right[0] or right[1] <= left[0]


def _is_surname(match: _Found, text: str, folded: str) -> bool:
    """``NGUYỄN QUÁN`` is a person; ``NGUYÊN QUÁN`` is a label, and so is either before a colon."""
    start, end, _, _ = match
    if not folded.startswith("nguyen", start) or re.match(r"[ \t]*[:=]", folded[end:]):
        return False
    return "ễ" in text[start:end].lower() or not folded[end:].strip()


def _full_labels(folded: str, text: str) -> list[_Found]:
    found: list[_Found] = []
    for match in _FULL_RE.finditer(folded):
        label = _BY_KEY.get(key(match.group()))
        if label is None:
            continue
        before, after = folded[: match.start()], folded[match.end() :]
        if label.field == "rank" and key(match.group()) == "cap" and not re.match(r"[ \t]*:", after):
            continue
        if before.strip() and not after.strip(" .,;-\u00b7") and not _START.search(before):
            continue  # a name that ends in a label's words: NGUYỄN HY SINH
        if (
            label.field in _DATED
            and not before.strip()
            and not re.search(r"[\d:]", after)
            and begins_with_surname(text)
        ):
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
    """``EY SINH NGÀY`` is a death: a stray syllable like ``hy`` before ``sinh`` that is no family name."""
    word = before.strip()
    return 1 <= len(word) <= 3 and within_one_edit(key(word), "hi") and word.lower() not in surnames()


def _short_labels(folded: str, text: str) -> list[_Found]:
    found: list[_Found] = []
    for match in _SHORT_RE.finditer(folded):
        group = int(str(match.lastgroup)[1:])
        field, _, _, verb = _SHORT[group]
        before, after = folded[: match.start()], folded[match.end() :]
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


def _label_words(folded: str, start: int) -> list[re.Match[str]]:
    """Up to four words that may spell a label: none beyond a colon, none that is a number."""
    stop = _LABEL_END.search(folded, start)
    words = list(_WORD.finditer(folded, start, min(start + 40, stop.start() if stop else len(folded))))[:4]
    numbers = [i for i, word in enumerate(words) if word.group()[0].isdigit() and len(word.group()) != 2]
    return words[: numbers[0]] if numbers else words


@lru_cache(maxsize=4096)
def _misread_key(cut: str, edits: int) -> Label | None:
    """The label whose key is one letter away, or two for long ones, if all such labels name one field."""
    if cut in _BY_KEY:
        return _BY_KEY[cut]
    if len(cut) < 5:
        return None
    near = {known for form in one_deletion(cut) for known in _FORMS.get(form, ()) if within_one_edit(known, cut)}
    if not near and edits == 2 and len(cut) >= 7:
        near = {known for known in _LONG_KEYS if Levenshtein.distance(known, cut, score_cutoff=2) <= 2}
    labels = {_BY_KEY[known] for known in near}
    fields = {label.field for label in labels}
    return min(labels, key=lambda label: label.verb) if len(fields) == 1 else None


def _misread_labels(folded: str, text: str, found: list[_Found]) -> list[_Found]:
    """Labels with wrong letters at the start of the line, after a wide gap, or right before a colon."""
    misread: list[_Found] = []
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
            cut = key(folded[words[0].start() : end].translate(_LETTERS))
            if not 4 <= len(cut) <= 20 or (cut[-1:].isdigit()):
                continue
            label = _misread_key(cut, 2 if colon else 1)
            if label and label.field in _DATED and begins_with_surname(text[end:].strip(" .:=-")):
                continue  # ĐA MINH: MAI VẬN is a saint and a person
            if label and not colon and gazetteer().districts(cut):
                continue  # Định Quán is a district, not a misread "sinh quán"
            if label is None or (cut in _BY_KEY and not colon and not after.strip()):
                continue
            dated = re.match(r"[ \t]*[.\-]?[ \t]*(?:\d|ngay|thang|nam\b)", after)
            wrong = any(not is_syllable(text[word.start() : word.end()]) for word in words[:count])
            bare = wrong and label.field in _NEED_NO_COLON and count >= 2 and after.strip() and not named and start == 0
            if colon or (wrong and label.field in _DATED and dated) or bare:
                misread.append((words[0].start(), end, label, True))
                break
        else:
            pair = _misread_pair(folded[start : start + 12])
            if pair:
                misread.append((start, start + pair[0], pair[1], True))
                continue
            abbreviation = re.match(r"\s*([a-z0-9|]{1,2})[ \t]*[:=]", folded[start : start + 8])
            if abbreviation and not abbreviation[1].isdigit():
                label = _ALONE.get(abbreviation[1].translate(_LETTERS))
                if label:
                    misread.append((start + abbreviation.start(1), start + abbreviation.end(1), label, True))
    return misread


def _misread_pair(folded: str) -> tuple[int, Label] | None:
    """Where a misread abbreviation at the start ends, and what it says."""
    match = _MISREAD_PAIR.match(folded)
    if match is None:
        return None
    label = _PAIRS.get((match["first"] + match["last"]).replace("0", "o"))
    after = match["after"].strip()
    if label is None:
        return None
    misfit = label.field == "hometown" and not (len(after) == 2 and after.isalpha())
    if misfit or (label.field in _DATED and not after[:1].isdigit()):
        return None
    return match.end("last"), label
