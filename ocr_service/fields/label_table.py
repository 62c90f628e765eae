"""The labels of stones: in full, abbreviated, and what must follow an abbreviation for it to count."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ocr_service.fields.text import key

# Field → full labels, folded. The value after "=" is the verb that the label says.
FULL: dict[str, str] = {
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
DATED = frozenset({"birth", "enlist", "death", "party", "lunar"})

# Fields whose misread labels are believed without a colon; the words of the others may be names.
NEED_NO_COLON = frozenset({"hometown", "unit", "rank", "position"})

DATE_AHEAD = (
    r"(?=[ \t]*[:=.\-]*[ \t]*(?:\d|[il|o]\d|[?~/\u2026('_]|\.\.|(?:ngay|ng[a-z0-9]?y|n[a-z0-9]ay|nga[a-z]|thang|nam"
    r"|khoang|mong|mung|mua|tet|dau|cuoi|giua|ram|trong|tai|o|nham|vao|xuan|chong|cmcn|bvtq|bgtn|bgpb|qtnv|bao ve"
    r"|mat tran|chien truong|bien gioi)\b|k\s?/?\s?c|giap|at|binh|dinh|mau|ky|canh|tan|quy))"
)
COLON = r"(?=[ \t]*[:=])"
TEXT_AHEAD = r"(?=[ \t]*[:=\-]|[ \t]+\S)"
# Short labels: (field, pattern, what must follow, may it stand after a mere space when a colon follows, verb)
SHORT: tuple[tuple[str, str, str, str], ...] = (
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


Found = tuple[int, int, Label, bool]
"""Where a label stands in a folded line (start, end), what it says, and whether it was misread."""


def _entries() -> list[tuple[str, Label]]:
    entries: list[tuple[str, Label]] = []
    for field, listed in FULL.items():
        for entry in listed.split(", "):
            words, _, verb = entry.strip().partition("=")
            if words:
                entries.append((words, Label(field, verb)))
    entries += [("cap bac, chuc vu", Label("rank_position")), ("cb, cv", Label("rank_position"))]
    return sorted(entries, key=lambda entry: -len(entry[0]))


ENTRIES = _entries()
BY_KEY = {key(words): label for words, label in reversed(ENTRIES)}


# Full labels that are one only before a date: "nơi an nghỉ" is a banner.
BEFORE_DATES = {key(words): Label("death", "ta_the") for words in ("an nghi", "yen nghi")}


@lru_cache(maxsize=1)
def date_labels() -> dict[str, tuple[str, ...]]:
    """Keys of the spelled labels of birth, enlistment and death."""
    return {
        field: tuple(
            known for known, label in (BY_KEY | BEFORE_DATES).items() if label.field == field and len(known) >= 5
        )
        for field in ("birth", "enlist", "death")
    }


ALONE = {
    **{short: Label("death") for short in ("hs",)},
    **{short: Label("birth") for short in ("sn", "ns", "sinh")},
    **{short: Label("enlist") for short in ("nn",)},
    **{short: Label("hometown") for short in ("qq", "nq", "que")},
    **{short: Label("unit") for short in ("dv",)},
}
# Digits and signs that readers give for letters of a label.
LETTERS = str.maketrans("01|!54789", "oiiisatbg")
