"""Civil graves as workshops cut them today: NƠI AN NGHỈ, ÔNG/BÀ, dates with their lunar twins, hometowns, saints."""

from __future__ import annotations

from random import Random

from datasets import wording
from datasets.lexicon import lexicon
from datasets.truth import Inscription, Kind, Role, Truth
from datasets.wording import Hand

_BANNERS = (
    "Nơi an nghỉ",
    "Nơi an nghỉ",
    "Nơi an nghỉ",
    "Phần mộ",
    "Phần mộ",
    "Mộ phần",
    "An nghỉ",
    "Nơi yên nghỉ",
    "Tưởng nhớ",
)
_MEN = ("Ông", "Ông", "Cụ ông", "Cụ", "Anh", "Bố", "Hiển khảo", "Thân phụ")
_WOMEN = ("Bà", "Bà", "Cụ bà", "Cụ", "Chị", "Mẹ", "Hiển tỷ", "Thân mẫu")
_SAINTS_MEN = (
    "Phê rô",
    "Giu se",
    "Gioan",
    "Phao lô",
    "Đa minh",
    "Phanxicô",
    "An tôn",
    "Giacôbê",
    "Vinh Sơn",
    "Gioan Baotixita",
    "Phêrô",
    "Giuse",
)
_SAINTS_WOMEN = (
    "Maria",
    "Ma ri a",
    "Ma ria",
    "Anna",
    "An na",
    "Têrêsa",
    "Tê rê xa",
    "Cêcilia",
    "Lucia",
    "Rosa",
    "Maria Mađalêna",
)
_DEATH = ("Mất", "Mất", "Mất ngày", "Tạ thế", "Tạ thế", "Từ trần", "Mất năm", "Tạ thế ngày", "Mệnh chung", "An nghỉ")
_BIRTH = ("Sinh năm", "Sinh năm", "Sinh năm", "Sinh", "Sinh", "Sinh ngày", "Năm sinh", "SN", "Ngày sinh", "Sanh năm")
_LUNAR = ("Tức", "Tức", "Tức", "Tức ngày", "Nhằm ngày", "Nhằm", "ÂL", "Âm lịch", "(ÂL)", "Giỗ ngày", "Ngày giỗ")
_AGE = ("Hưởng thọ", "Hưởng thọ", "Hưởng thọ", "Thọ", "Hưởng dương", "Thượng thọ", "Đại thọ")
_HOME = (
    "Quê quán",
    "Quê quán",
    "Quê quán",
    "Quê",
    "Nguyên quán",
    "Trú quán",
    "Thường trú",
    "ĐC",
    "Đ/C",
    "Địa chỉ",
    "Chánh quán",
    "Sinh quán",
)
_DHARMA = (
    "Nguyên",
    "Diệu",
    "Tâm",
    "Minh",
    "Quảng",
    "Huệ",
    "Chơn",
    "Thiện",
    "Phước",
    "Đức",
    "Hạnh",
    "An",
    "Từ",
    "Tịnh",
    "Ngọc",
    "Liên",
    "Hương",
    "Tuệ",
    "Trí",
)
_FEET = (
    "Vợ và các con đồng phụng lập", "Con cháu phụng lập", "Các con phụng lập", "Vợ con phụng lập",
    "Gia đình phụng lập", "Con cháu lập mộ",
    "Vợ cùng các con cháu lập mộ", "Con cháu đồng kính lập", "Chồng và các con phụng lập", "Gia đình kính lập",
    "Hiếu tử phụng lập",
)  # fmt: skip
_SMALL = (
    "Huy chương chiến thắng", "Huy hiệu {n} năm tuổi Đảng", "Huân chương kháng chiến hạng {k}", "Cựu chiến binh",
    "Thương binh {q}/4", "Lão thành cách mạng",
    "Mẹ Việt Nam anh hùng", "Huân chương chiến công hạng {k}", "Nguyên giám đốc xí nghiệp {n}", "Nhà giáo ưu tú",
    "Anh hùng lực lượng vũ trang nhân dân",
    "Nguyên chủ tịch UBND xã", "Bệnh binh {q}/3", "Hội viên hội người cao tuổi", "Nguyên đại biểu Quốc hội khóa {r}",
    "Kỷ niệm chương {n} năm",
)  # fmt: skip


def _typed_home(rng: Random, hand: Hand) -> str:
    """A hometown as written today: hamlets, wards and the province of 2025 among the older forms."""
    place = wording.draw_place(rng)
    form = rng.random()
    if form < 0.5:
        parts = wording.cut_place(rng, hand, place)
    elif form < 0.75:
        number = rng.randint(1, 19)
        head = rng.choice((f"TDP. {place.commune}", f"Tổ {number} khu {rng.randint(1, 9)}{rng.choice(('', 'A', 'B'))}",
                           f"Số {number:02d} {wording.draw_name(rng)}",
                           f"Khu phố {number}", f"Thôn {number}", f"KP.{number}",
                           f"{number}/{rng.randint(1, 99)} đường {wording.draw_name(rng)}",
                           f"Xóm {place.commune}"))  # fmt: skip
        letters = rng.choice((("P.", "T."), ("Phường", "Tỉnh"), ("X.", "T."), ("Xã", "TP."), ("P.", "TP.")))
        parts = (head, f"{letters[0]} {place.commune}", f"{letters[1]} {place.province}")
    else:
        parts = (place.commune, place.district, place.province)[rng.randint(0, 1) :]
    province = parts[-1]
    if rng.random() < 0.05:
        province = "".join(word[0] for word in place.province.split() if word[0].isalpha())
    return hand.place_separator.join((*parts[:-1], province))


def _person(rng: Random) -> tuple[str, str, bool]:
    woman = rng.random() < 0.45
    return rng.choice(_WOMEN if woman else _MEN), wording.draw_name(rng, woman), woman


def _small_line(rng: Random) -> str:
    return rng.choice(_SMALL).format(
        n=rng.randint(10, 75),
        k=rng.choice(("nhất", "nhì", "ba")),
        q=rng.randint(1, 4),
        r=rng.choice(("II", "III", "IV", "V", "VI")),
    )


def _dates(
    rng: Random, hand: Hand, birth: wording.Day, death: wording.Day
) -> tuple[list[str], tuple[str | None, str | None]]:
    """Lines of the dates, and birth and death as precise as they state them; a lunar day alone states no solar one."""

    def say(labels: tuple[str, ...], value: str) -> str:
        return wording.join_label(rng.choice(labels), hand, value)

    said: tuple[str | None, str | None] = (birth.iso(), death.iso())
    if rng.random() < 0.15:
        said = (str(birth.year), str(death.year))
        dash = rng.choice((" - ", " – ", "-"))
        years = f"{birth.year}{dash}{death.year}"
        lines = [rng.choice((years, f"({years})"))]
        if rng.random() < 0.6:
            lines.append(say(_DEATH, wording.cut_lunar(rng, hand, death)))
    else:
        lines = [say(_BIRTH, wording.cut_day(rng, hand, birth))]
        hour = f"{rng.randint(0, 23):02d}h{rng.randint(0, 59):02d} ngày " if rng.random() < 0.05 else ""
        lunar_only = rng.random() < 0.15
        said = (birth.iso(), None if lunar_only else death.iso())
        lines.append(
            say(_DEATH, wording.cut_lunar(rng, hand, death) if lunar_only else hour + wording.cut_day(rng, hand, death))
        )
        if not lunar_only and death.day is not None and rng.random() < 0.65:
            lunar = wording.cut_lunar(rng, hand, death)
            lines.append(f"({lunar})" if rng.random() < 0.2 else say(_LUNAR, lunar))
    if rng.random() < 0.7:
        age = death.year - birth.year + 1
        label = rng.choice(_AGE)
        lines.append(f"{label} {age} tuổi" if rng.random() < 0.25 else f"{label}{hand.colon}{age} tuổi")
    return lines, said


def sample_civil(rng: Random) -> Inscription:
    """One civil grave."""
    hand = wording.draw_hand(rng, capitals_share=0.82)
    lines: list[str] = []
    roles: list[Role] = []

    def add(role: Role, *texts: str) -> None:
        for text in texts:
            text = wording.respell(" ".join(text.split()), hand)
            lines.append(text.upper() if hand.capitals or role in (Role.NAME, Role.HEADER) else text)
            roles.append(role)

    title, name, woman = _person(rng)
    death = wording.draw_day(rng, 1950, 2026, rng.choices(("day", "year"), (92, 8))[0])
    birth = wording.draw_day(
        rng, death.year - rng.randint(20, 102), death.year - 19, rng.choices(("year", "day"), (65, 35))[0]
    )
    if rng.random() < 0.03:
        add(Role.SMALL, f"Đời thứ {rng.randint(1, 15)}")
    if rng.random() < 0.75:
        banner = rng.choice(_BANNERS)
        joined = rng.random() < 0.15
        add(Role.SMALL, f"{banner} {title}" if joined else banner)
        title = "" if joined else title
    if rng.random() < 0.15:
        title = rng.choice(_SAINTS_WOMEN if woman else _SAINTS_MEN)
    if title:
        add(Role.HEADER, title)
    add(Role.NAME, f"{title}: {name}" if title and rng.random() < 0.02 else name)
    extra = rng.random()
    if extra < 0.1:
        add(Role.FACT, f"Pháp danh{hand.colon}{rng.choice(_DHARMA)} {rng.choice(_DHARMA)}")
    elif extra < 0.16:
        given = lexicon().givens.draw(rng)
        add(
            Role.FACT,
            rng.choice((f"(Tức {given})", f"(Bà {given})", f"(Vợ cụ {wording.draw_name(rng)})", f"(Tự {given})")),
        )
    dates, (birth_said, death_said) = _dates(rng, hand, birth, death)
    homes = [
        f"{rng.choice(_HOME)}{hand.colon}{_typed_home(rng, hand)}"
        for _ in range(rng.choices((0, 1, 2), (35, 53, 12))[0])
    ]
    at = rng.choice((0, 1, len(dates)))
    add(Role.FACT, *dates[:at])
    add(Role.SMALL if rng.random() < 0.6 else Role.FACT, *homes)
    add(Role.FACT, *dates[at:])
    if rng.random() < 0.12:
        add(Role.SMALL, _small_line(rng))
    if rng.random() < 0.15:
        add(Role.FOOT, rng.choice(_FEET))
    truth = Truth(name=name, birth_date=birth_said, death_date=death_said)
    return Inscription(tuple(lines), tuple(roles), truth, Kind.CIVIL)
