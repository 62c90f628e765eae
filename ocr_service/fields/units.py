"""Units as cut → an ordered chain of (level, number); codes nobody outside the army can read stay codes.

Levels are the letters a (squad) to f (division) and the words binh_tram, chien_truong, cong_truong, doan, qk, qd, mt …
A code of a theatre, a cover or a field post is reported with the flag ``undecoded``: what it meant depended on date and
place, and only an imported table of the army's decodes may say (:mod:`ocr_service.fields.decodes`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ocr_service.fields.text import fold, squeeze

_LEVELS: tuple[tuple[str, str], ...] = (
    ("a", r"tieu doi"),
    ("b", r"trung doi"),
    ("c", r"dai doi|d\.doi"),
    ("d", r"tieu doan|t\.?\s?doan|td|t\.d"),
    ("e", r"trung doan|tr\.?\s?doan|trd"),
    ("f", r"su doan|dai doan|su|s\.?doan"),
    ("lu", r"lu doan|lu|ld"),
    ("binh_doan", r"binh doan"),
    ("qd", r"quan doan|qd"),
    ("qk", r"quan khu|qk|khu"),
    ("mt", r"mat tran|mt"),
    ("binh_tram", r"binh tram|b\.?\s?tram|bt"),
    ("cong_truong", r"cong truong|c\.?\s?truong|ct"),
    ("benh_vien", r"benh vien|bv"),
    ("lien_doan", r"lien doan"),
    ("chi_doi", r"chi doi"),
    ("doan", r"doan|d(?=oan)"),
    ("doi", r"doi"),
    ("tram", r"tram"),
)
_NUMBER = r"\d[\doil]*(?:\.\d+)?[a-z]?(?![a-z])"
_NAMED = {
    "quan khu": "qk",
    "binh doan": "binh_doan",
    "trung doan": "e",
    "su doan": "f",
    "doan": "doan",
    "mat tran": "mt",
}
_NAMES = (
    "tay bac|viet bac|dong bac|ta ngan|huu ngan|tri thien|tay nguyen|thu do|dong bang|huong giang|cuu long|quyet thang"
)
_ELEMENT = re.compile(
    r"(?<![a-z0-9])(?:"
    + "|".join(f"(?P<{level}_w>{words})" for level, words in _LEVELS)
    + rf")[\s.:\-]*(?:so\s*)?(?P<wordno>k?{_NUMBER})"
    rf"|(?<![a-z0-9])(?P<letter>[abcdefk])\s?[.\-]?\s?(?P<no>{_NUMBER})"
    rf"|(?<![a-z0-9])(?P<named_level>{'|'.join(_NAMED)})\s+(?P<named>{_NAMES})(?![a-z])"
    r"|(?<![a-z0-9])(?P<theatre>k(?!hu)[a-z]{1,2}\d?|nb\d?|e[gf]|p\d?|t\d{1,2}|[kh]\d?)(?![a-z0-9])"
    r"|(?<![a-z0-9])(?P<cover>(?:[a-z]{1,2}[.\s]?)?\d[\doil]{1,4}[a-z]?)(?![a-z0-9])"
)
_MAILBOX = re.compile(
    r"(?:hom thu|h\.?\s?thu"
    r"|(?<![a-z])ht)\s*(?:so)?\s*[:.\-]?\s*(?P<box>\d[\d.\s]*\d(?:\s*[a-z]{1,3}\s?\d{0,3}(?![a-z]))?)"
)
_BOX_ONLY = re.compile(r"^\s*(?P<box>\d[\d.]*\d\s*[a-z]{2}\s?\d{0,3})\s*$")
# Whose the unit was, the first that fits: local forces and offices before the arms.
_FORCES: tuple[tuple[str, str], ...] = (
    (
        "dia_phuong",
        r"bo doi dia phuong|bddp|dia phuong quan|(?:tinh|huyen|xa|thi|ap) doi(?!\s*vien)|luc luong dia phuong",
    ),
    ("du_kich", r"du kich"),
    ("dan_quan", r"dan quan|tu ve"),
    ("tnxp", r"tnxp|thanh nien xung phong"),
    ("dan_cong", r"dan cong"),
    ("bien_phong", r"bien phong|candvt|cong an nhan dan vu trang|cong an vu trang|cavt"),
    ("cong_an", r"cong an|an ninh"),
    (
        "dan_chinh",
        r"giao buu|dan chinh|uy ban|huyen uy|tinh uy|xa uy|chi bo|co quan|kinh tai|nong hoi|buu dien|tuyen huan",
    ),
    ("hai_quan", r"hai quan"),
    ("khong_quan", r"khong quan"),
    ("phong_khong", r"phong khong|cao xa|cao phao"),
    ("dac_cong", r"dac cong"),
    ("thiet_giap", r"thiet giap|xe tang|tang thiet giap"),
    ("phao_binh", r"phao binh"),
    ("cong_binh", r"cong binh"),
    ("thong_tin", r"thong tin"),
    ("trinh_sat", r"trinh sat"),
    ("hoa_hoc", r"hoa hoc"),
    ("van_tai", r"van tai"),
    ("quan_y", r"quan y"),
    ("hau_can", r"hau can"),
    ("QĐND", r"quan doi nhan dan|qdnd"),
    ("QGP", r"quan giai phong|qgp"),
)
_FORCE = re.compile("|".join(f"(?P<f{i}>(?<![a-z])(?:{words})(?![a-z]))" for i, (_, words) in enumerate(_FORCES)))
_SIZE = {level: size for size, level in enumerate(["a", "b", "c", "d", "k", "e", "lu", "f", "qd", "mt", "qk"])}
_THEATRE_OF_B = re.compile(r"[1-5]$")


@dataclass(frozen=True, slots=True)
class UnitReading:
    """A unit as cut, taken apart. ``chain`` keeps the order of the stone; a number without a level has level None."""

    raw: str
    chain: tuple[tuple[str | None, str], ...] = ()
    theatre_code: str | None = None
    mailbox: str | None = None
    force: str | None = None
    note: str | None = None
    flags: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether anything of the text was understood as a unit."""
        return bool(self.chain or self.theatre_code or self.mailbox or self.force)


def read_force(text: str) -> str | None:
    """The arm, local force or office that a text names."""
    folded = fold(text)
    found = {int(str(match.lastgroup)[1:]) for match in _FORCE.finditer(folded)}
    return _FORCES[min(found)][0] if found else None


def read_unit(text: str) -> UnitReading:
    """Take a unit apart. Never fails: what is not understood stays in ``raw``."""
    raw = squeeze(text).strip(" .,;:-")
    folded = fold(raw)
    box = _MAILBOX.search(folded) or _BOX_ONLY.search(folded)
    if box:
        cut = raw[box.start("box") : box.end("box")]
        return UnitReading(raw, mailbox=squeeze(cut.replace(".", "")).upper(), flags=("undecoded",))
    chain: list[tuple[str | None, str]] = []
    theatres: list[str] = []
    matches = list(_ELEMENT.finditer(folded))
    for place, match in enumerate(matches):
        if match["theatre"] and not (raw[match.start() : match.end()].isascii() and raw[match.start()].isupper()):
            continue
        element = _element(match, raw, chain, last=place == len(matches) - 1)
        if isinstance(element, str):
            theatres.append(element)
        elif _inside_brackets(raw, match.start()) and chain and _smaller(element, chain[-1]):
            chain.insert(len(chain) - 1, element)
        else:
            chain.append(element)
    flags: list[str] = []
    if any(level is None for level, _ in chain):
        flags += ["no_level", "undecoded"]
    if theatres:
        flags.append("undecoded")
    if len(chain) == 1 and len(matches) == 1 and chain[0][0] == "chien_truong":
        flags.append("ambiguous_code")
    force = read_force(raw)
    note = _note(raw, folded, matches) if chain or theatres else None
    return UnitReading(raw, tuple(chain), "/".join(theatres) or None, None, force, note, tuple(dict.fromkeys(flags)))


def _element(
    match: re.Match[str], raw: str, chain: list[tuple[str | None, str]], *, last: bool
) -> tuple[str | None, str] | str:
    """A link of the chain, or a theatre code."""
    if match["theatre"]:
        return match.group().upper()
    if match["named"]:
        return _NAMED[match["named_level"]], raw[match.start("named") : match.end("named")]
    if match["cover"]:
        cut = raw[match.start() : match.end()]
        return None, cut if any(c.isalpha() for c in cut) else _digits(cut)
    if match["letter"]:
        number = _digits(raw[match.start("no") : match.end("no")])
        if match["letter"] == "b" and _THEATRE_OF_B.match(number) and last and _above_platoon(chain):
            return "chien_truong", f"B{number}"
        return match["letter"], number
    level = next(level for level, _ in _LEVELS if match[f"{level}_w"])
    return level, _digits(raw[match.start("wordno") : match.end("wordno")])


def _above_platoon(chain: list[tuple[str | None, str]]) -> bool:
    """Whether B2, the last of its chain, must be the theatre: nothing smaller than a platoon leads up to it."""
    return not chain or chain[-1][0] != "a"


def _digits(number: str) -> str:
    head, tail = (number[:-1], number[-1]) if number[-1].isalpha() and len(number) > 1 else (number, "")
    if tail in ("O", "o"):
        head, tail = head + "0", ""
    return head.translate(str.maketrans("OoIl", "0011")).replace(".", "") + tail.upper()


def _inside_brackets(raw: str, place: int) -> bool:
    return raw.rfind("(", 0, place) > raw.rfind(")", 0, place)


def _smaller(left: tuple[str | None, str], right: tuple[str | None, str]) -> bool:
    return _SIZE.get(left[0] or "", 99) < _SIZE.get(right[0] or "", -1)


def _note(raw: str, folded: str, matches: list[re.Match[str]]) -> str | None:
    """Words after the chain that name no arm: ``D 307 đánh quân dù`` → ``đánh quân dù``."""
    tail = raw[matches[-1].end() :].strip(" .,;:-()/")
    if not tail or _FORCE.search(folded[matches[-1].end() :]) or not re.search(r"[^\W\d]{2}", tail):
        return None
    return tail
