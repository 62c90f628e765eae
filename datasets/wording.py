"""How single facts are worded on a stone: labels, dates, units, places; each stone keeps one hand throughout.

Patterns follow transcriptions of martyrs' stones and of workshop stones of our days; no text is copied from one.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from random import Random

from datasets.lexicon import Place, lexicon

LABELS: dict[str, tuple[str, ...]] = {
    "birth": (
        "Sinh năm", "Sinh năm", "Sinh năm", "Năm sinh", "Sinh ngày", "Ngày sinh", "Sinh", "SN", "S.N", "N.S", "NS",
    ),
    "enlist": (
        "Nhập ngũ", "Nhập ngũ", "Nhập ngũ", "NN", "N.N", "N/N", "Nh.ngũ", "Vào bộ đội", "Tham gia CM", "Đi B",
        "Tái ngũ",
        "Ngày nhập ngũ",
    ),
    "death": (
        "Hy sinh", "Hy sinh", "Hy sinh", "Hi sinh", "HS", "H/S", "H.S", "Hy sinh ngày", "Ngày hy sinh", "Hy sinh năm",
        "Mất", "Từ trần",
    ),
    "home": (
        "Quê quán", "Quê quán", "Quê quán", "Nguyên quán", "Nguyên quán", "Quê", "NQ", "N.Q", "QQ", "Q.Q", "Q.quán",
        "Q/quán", "Sinh quán", "Trú quán", "TQ",
    ),
    "rank": ("Cấp bậc", "Cấp bậc", "CB", "C/B", "C.B", "Quân hàm"),
    "position": ("Chức vụ", "Chức vụ", "CV", "C/V", "C.V"),
    "unit": ("Đơn vị", "Đơn vị", "Đơn vị", "ĐV", "Đ.vị", "Đ/vị", "Đ.Vị", "Đ/V"),
    "party": ("Vào Đảng", "Ngày vào Đảng", "Đảng viên"),
    "award": ("Bằng TQGC số", "Bằng số", "Quyết định số"),
    "age": ("Hưởng dương", "Hưởng thọ", "Tuổi", "Hưởng dương"),
}  # fmt: skip

ERAS = (
    "KCCP", "KCCM", "K/C chống Pháp", "Chống Mỹ cứu nước", "Chống Pháp", "CMCN", "BVTQ", "BGTN", "BGPB",
    "Trong cuộc kháng chiến chống Pháp", "Trong kháng chiến chống Mỹ", "Bảo vệ Tổ quốc", "Mặt trận phía Bắc",
)  # fmt: skip
DEATH_PLACES = (
    "Mặt trận phía Nam", "Mặt trận phía Bắc", "Chiến trường B", "Chiến trường K", "Quảng Trị", "Tây Nguyên", "Lào",
    "Campuchia", "Khe Sanh", "Thành cổ Quảng Trị", "Đường 9", "Biên giới phía Bắc", "Nam Bộ", "Miền Đông Nam Bộ",
)  # fmt: skip
THEATRES = (
    "KB", "KH", "KN", "KT", "NB", "P1", "P2", "P3", "KP", "KF", "KE", "EG", "B2", "B3", "B4", "B5", "QK5", "QK7", "QK8",
    "QK9", "QK4", "MT 559", "QĐ1", "QĐ2", "QĐ3", "QĐ4", "KBM",
)  # fmt: skip
STEMS = ("Giáp", "Ất", "Bính", "Đinh", "Mậu", "Kỷ", "Canh", "Tân", "Nhâm", "Quý")
BRANCHES = ("Tý", "Sửu", "Dần", "Mão", "Thìn", "Tỵ", "Ngọ", "Mùi", "Thân", "Dậu", "Tuất", "Hợi")
_BRANCH_VARIANTS = {"Tý": "Tí", "Mão": "Mẹo", "Tỵ": "Tị"}


@dataclass(frozen=True, slots=True)
class Day:
    """A date as precise as it is known."""

    year: int
    month: int | None = None
    day: int | None = None

    def iso(self) -> str:
        """ISO 8601 with reduced precision."""
        parts = [f"{self.year:04d}"] + [f"{part:02d}" for part in (self.month, self.day) if part is not None]
        return "-".join(parts)


@dataclass(frozen=True, slots=True)
class Hand:
    """The habits of the one who cut a stone."""

    capitals: bool
    colon: str
    date_separator: str
    pad: bool
    words_chance: float
    place_separator: str
    types_on_places: bool
    old_tone: bool


_DATE_SEPARATORS = (("/", "-", " - ", ".", "–", " – ", " / ", ". ", " -", "- "), (24, 22, 30, 4, 4, 8, 3, 1, 2, 2))
_PLACE_SEPARATORS = ((" - ", "-", ", ", " – ", "–", "; ", " / ", " ", " -", ". "), (50, 9, 24, 7, 2, 1, 1, 3, 2, 1))


def draw_hand(rng: Random, capitals_share: float = 0.75) -> Hand:
    """One stone's habits; three stones in four are cut in capitals."""
    return Hand(
        capitals=rng.random() < capitals_share,
        colon=rng.choices((": ", " : ", " ", ":", " - ", ":  "), (62, 12, 16, 6, 2, 2))[0],
        date_separator=rng.choices(*_DATE_SEPARATORS)[0],
        pad=rng.random() < 0.55,
        words_chance=rng.choices((0.0, 0.15, 0.9), (70, 20, 10))[0],
        place_separator=rng.choices(*_PLACE_SEPARATORS)[0],
        types_on_places=rng.random() < 0.25,
        old_tone=rng.random() < 0.45,
    )  # fmt: skip


def draw_day(rng: Random, first_year: int, last_year: int, precision: str | None = None) -> Day:
    """A date between two years; ``precision`` is ``day``, ``month`` or ``year``, drawn if None."""
    year = rng.randint(first_year, last_year)
    precision = precision or rng.choices(("day", "month", "year"), (68, 12, 20))[0]
    if precision == "year":
        return Day(year)
    month = rng.randint(1, 12)
    return (
        Day(year, month)
        if precision == "month"
        else Day(year, month, rng.randint(1, calendar.monthrange(year, month)[1]))
    )


def _digits(rng: Random, hand: Hand, value: int) -> str:
    return f"{value:02d}" if hand.pad else str(value)


def cut_day(rng: Random, hand: Hand, day: Day) -> str:
    """A date as cut: digits with the hand's separator, or words."""
    if day.month is None:
        return str(day.year)
    month = _digits(rng, hand, day.month)
    if rng.random() < hand.words_chance:
        words = f"tháng {month} năm {day.year}"
        return words if day.day is None else f"ngày {_digits(rng, hand, day.day)} {words}"
    separator = hand.date_separator
    if day.day is None:
        return rng.choice(
            (
                f"{month}{separator}{day.year}",
                f"{month}{separator}{day.year}",
                f"/{month}/{day.year}",
                f"tháng {month}/{day.year}",
            )
        )
    return f"{_digits(rng, hand, day.day)}{separator}{month}{separator}{day.year}"


def join_label(label: str, hand: Hand, value: str) -> str:
    """A label and its value as cut: ``Sinh ngày 16 tháng 8 năm 1934`` says the day once, ``Sinh năm 1934`` no day."""
    says_day = label.endswith(" ngày")
    if value.isdigit() and says_day:
        label = f"{label.removesuffix('ngày')}năm"
    if value.startswith("ngày "):
        if says_day:
            return f"{label} {value.removeprefix('ngày ')}"
        if hand.words_chance > 0.5:
            return f"{label} {value}"
    return f"{label}{hand.colon}{value}"


def lunar_year(rng: Random, year: int) -> str:
    """The stem and branch of a lunar year, with the spellings that occur."""
    branch = BRANCHES[(year + 8) % 12]
    if rng.random() < 0.2:
        branch = _BRANCH_VARIANTS.get(branch, branch)
    return f"{STEMS[(year + 6) % 10]} {branch}"


def cut_lunar(rng: Random, hand: Hand, day: Day) -> str:
    """A lunar date (about five weeks behind the solar one): digits and the year's name."""
    month, date = day.month or 1, day.day or 1
    lunar = (month - 2) % 12 + 1 if rng.random() < 0.7 else (month - 3) % 12 + 1
    date = min(30, (date * 7 + 3) % 30 + 1)
    year = lunar_year(rng, day.year - (lunar > month))
    separator = hand.date_separator if rng.random() < 0.9 else " - "
    day_month = f"{_digits(rng, hand, date)}{separator}{_digits(rng, hand, lunar)}"
    return rng.choice(
        (
            f"{day_month}{separator}{year}",
            f"{day_month}{separator}{year}",
            f"{day_month} năm {year}",
            f"ngày {date} tháng {lunar} năm {year}",
            f"{day_month} ({year})",
        )
    )


def draw_name(rng: Random, woman: bool | None = None) -> str:
    """A full name, two to four syllables, combined at random."""
    words = lexicon()
    surname, given = words.surnames.draw(rng), words.givens.draw(rng)
    woman = rng.random() < 0.1 if woman is None else woman
    if woman:
        middle = rng.choices(("Thị", words.middles.draw(rng)), (85, 15))[0]
    else:
        middle = rng.choices(("Văn", words.middles.draw(rng)), (28, 72))[0]
    length = rng.choices((2, 3, 4), (8, 78, 14))[0]
    if length == 2:
        return f"{surname} {given}"
    if length == 4:
        return f"{surname} {middle} {words.middles.draw(rng)} {given}"
    return f"{surname} {middle} {given}"


def draw_place(rng: Random) -> Place:
    """A hometown: of wartime lists or of the 63 provinces, sometimes under a province of another era."""
    words = lexicon()
    if rng.random() < 0.6:
        return words.wartime_places.draw(rng)
    place = rng.choice(words.places_63)
    if rng.random() < 0.12:
        return Place(
            place.commune, place.district, rng.choice(words.provinces), place.commune_type, place.district_type
        )
    return place


_TYPE_WORDS = {
    "X": ("Xã", "X.", "xã"), "P": ("Phường", "P.", "phường"), "TT": ("Thị trấn", "TT.", "TT"),
    "H": ("Huyện", "H.", "huyện"), "Q": ("Quận", "Q."), "TX": ("Thị xã", "TX."), "TP": ("Thành phố", "TP.", "TP"),
}  # fmt: skip


def _typed(rng: Random, letter: str, name: str) -> str:
    word = rng.choice(_TYPE_WORDS[letter])
    return f"{word} {name}" if not word.endswith(".") or rng.random() < 0.6 else f"{word}{name}"


def cut_place(rng: Random, hand: Hand, place: Place) -> tuple[str, ...]:
    """The parts of a hometown as cut, most specific first."""
    commune, district, province = place.commune, place.district, place.province
    if hand.types_on_places:
        commune = _typed(rng, place.commune_type or "X", commune)
        district = _typed(rng, place.district_type or "H", district)
        if rng.random() < 0.7:
            province = f"{rng.choice(('Tỉnh', 'tỉnh', 'T.'))} {province}"
    parts = [commune, district, province]
    if rng.random() < 0.1:
        hamlet = rng.choice(lexicon().places_63).commune
        number = rng.randint(1, 14)
        parts.insert(
            0,
            rng.choice(
                (f"Thôn {hamlet}", f"Xóm {number}", f"Ấp {hamlet}", f"Th. {hamlet}", f"Tổ {number}", f"Đội {number}")
            ),
        )
    return tuple(parts)


_REGIMENTS = (1, 2, 3, 9, 12, 27, 28, 36, 42, 48, 64, 66, 88, 95, 101, 141, 165, 174, 209, 271, 316, 335, 462)
_DIVISIONS = (1, 2, 3, 5, 7, 9, 10, 304, 308, 312, 316, 320, 324, 325, 341, 711, 968)


def draw_unit(rng: Random) -> str:
    """A unit as cut: letter chains small to large or the reverse, theatre codes, words."""
    levels = [("c", rng.randint(1, 30)), ("d", rng.randint(1, 12) if rng.random() < 0.7 else rng.randint(30, 600)),
              ("e", rng.choice(_REGIMENTS)),
              ("f", rng.choice(_DIVISIONS))]  # fmt: skip
    form = rng.random()
    if form < 0.6:
        first = rng.randint(0, 3)
        chain = levels[first : rng.randint(first + 1, 4)]
        upper = rng.random() < 0.5
        gap = rng.choices(("", " ", "."), (82, 12, 6))[0]
        texts = [
            f"{letter.upper() if upper else letter}{gap}{number}{rng.choice('ABH') if rng.random() < 0.04 else ''}"
            for letter, number in chain
        ]
        if rng.random() < 0.3:
            texts.append(rng.choice(THEATRES))
        if rng.random() < 0.1:
            texts.reverse()
        return rng.choices(("/", " - ", "-", " ", ", ", ".", " – "), (26, 26, 16, 18, 8, 3, 3))[0].join(texts)
    if form < 0.75:
        words = ("Đại đội", "Tiểu đoàn", "Trung đoàn", "Sư đoàn")
        first = rng.randint(0, 3)
        return rng.choice((" - ", ", ", " ")).join(
            f"{word} {number}"
            for word, (_, number) in list(zip(words, levels, strict=True))[first : first + rng.randint(1, 2)]
        )
    if form < 0.85:
        return rng.choice(THEATRES)
    number = rng.randint(2, 99)
    district = rng.choice(lexicon().places_63).district
    return rng.choice((
        f"Đoàn {rng.choice((559, 125, 305, 22, number))}", f"Binh trạm {number}", f"BT{number}", f"TĐ {number}",
        f"Sư {rng.choice((308, 304, 312))}",
        f"Công trường {rng.choice((5, 7, 9))}", "Bộ đội địa phương", "Du kích xã", f"Huyện đội {district}",
        f"D.{number}B", f"X{number}", f"Z{number}",
        f"Hòm thư {number}.{rng.randint(100, 999)} YK", f"Lữ đoàn {number + 100}", f"Công an {district}",
        f"Bệnh viện K{number}", "Trung đoàn Thủ đô",
        f"Quân khu {rng.randint(1, 9)}", f"Biên phòng {district}", f"Phòng không {number}", "Bộ đội Trường Sơn",
        f"Đặc công {number}", f"Pháo binh {number}",
    ))  # fmt: skip


_NEW_TONE = {
    "òa": "oà", "óa": "oá", "ỏa": "oả", "õa": "oã", "ọa": "oạ", "úy": "uý", "ùy": "uỳ", "ủy": "uỷ", "ũy": "uỹ",
    "ụy": "uỵ",
    "òe": "oè", "óe": "oé", "ọe": "oẹ",
}  # fmt: skip


def respell(text: str, hand: Hand) -> str:
    """Vietnamese has two places for a tone mark in oa, oe, uy; a hand keeps to one of them.

    Only open syllables differ (``Hòa``/``Hoà``; never ``Hoàng``).
    """
    pairs = [(a, b) if not hand.old_tone else (b, a) for a, b in _NEW_TONE.items()]
    for source, target in pairs + [(a.upper(), b.upper()) for a, b in pairs]:
        start = text.find(source)
        while start >= 0:
            end = start + len(source)
            if (end == len(text) or not text[end].isalpha()) and not (start and text[start - 1] in "qQ"):
                text = text[:start] + target + text[end:]
            start = text.find(source, end)
    return text
