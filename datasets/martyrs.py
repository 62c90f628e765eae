"""Martyrs' stones as they are worded: named, partly known, unknown, collective and relocated graves."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from datasets import wording
from datasets.lexicon import lexicon
from datasets.truth import Inscription, Kind, Role, Truth
from datasets.wording import LABELS, Day, Hand

HEADERS = (
    "Liệt sĩ", "Liệt sĩ", "Liệt sĩ", "Liệt sỹ", "Liệt sỹ", "Mộ liệt sĩ", "Mộ liệt sỹ", "Phần mộ liệt sĩ",
    "Anh hùng liệt sĩ", "LS", "L.sỹ",
)  # fmt: skip
UNKNOWN_WORDINGS = (
    "Mộ liệt sĩ chưa xác định được thông tin", "Liệt sĩ chưa xác định được thông tin", "Chưa xác định thông tin",
    "Mộ liệt sĩ chưa biết tên", "Liệt sĩ chưa biết tên", "Chưa biết tên", "Liệt sĩ không xác định được danh tính",
    "Mộ liệt sĩ chưa xác định được danh tính", "Liệt sĩ vô danh", "Liệt sỹ vô danh", "LS khuyết danh",
    "Tên đồng chí gắn liền chiến công quê hương Trung Dũng",
)  # fmt: skip


def cased(text: str, hand: Hand) -> str:
    """The text in the hand's case and spelling, with single spaces."""
    text = wording.respell(" ".join(text.split()), hand)
    return text.upper() if hand.capitals else text


def _wrapped(label: str, hand: Hand, parts: tuple[str, ...], rng: Random) -> list[str]:
    """A hometown on one line, or broken before or after a separator as it is when the line would be too long."""
    separator = hand.place_separator
    whole = wording.join_label(label, hand, separator.join(parts))
    if len(whole) < 26 or rng.random() < 0.6 or len(parts) < 2:
        return [whole]
    cut = rng.randint(1, len(parts) - 1)
    first = wording.join_label(label, hand, separator.join(parts[:cut]))
    return [first + (separator.rstrip() if rng.random() < 0.4 else ""), separator.join(parts[cut:])]


def _name_lines(rng: Random, hand: Hand, name: str) -> list[str]:
    shown = wording.respell(name.upper() if hand.capitals or rng.random() < 0.85 else name, hand)
    form = rng.random()
    if form < 0.06:
        return [f"{rng.choice(('Họ tên', 'Họ và tên', 'Tên'))}{hand.colon}{shown}"]
    if form < 0.1:
        return [f"{rng.choice(('Đ/c', 'Đồng chí', 'Đ.c', 'Ông', 'Bà', 'LS', 'Liệt sĩ'))} {shown}"]
    if form < 0.14:
        alias = lexicon().givens.draw(rng)
        return [shown, rng.choice((f"(Tức {alias})", f"({alias})", f"Bí danh: {alias}", f"(Tức: {alias})"))]
    return [shown]


@dataclass(frozen=True, slots=True)
class _Facts:
    """The dated facts of one life, in order."""

    birth: Day
    enlist: Day
    death: Day


def _life(rng: Random) -> _Facts:
    death = wording.draw_day(rng, 1946, 1988)
    born = death.year - rng.randint(18, 42)
    birth = wording.draw_day(rng, born, born, rng.choices(("year", "month", "day"), (72, 6, 22))[0])
    precision = rng.choices(("year", "month", "day"), (40, 45, 15))[0]
    return _Facts(birth, wording.draw_day(rng, born + 17, death.year - 1, precision), death)


def _death_text(rng: Random, hand: Hand, death: Day) -> tuple[str, str | None]:
    """The date of death as cut and its ISO form; some stones give an era, a lunar date or an empty template."""
    form = rng.random()
    if form < 0.03:
        return rng.choice(wording.ERAS), None
    if form < 0.05 and death.day is not None:
        return f"{wording.cut_day(rng, hand, death)} {rng.choice(('(ÂL)', '(Âm lịch)', 'ÂL'))}", str(death.year)
    if form < 0.06:
        return rng.choice(("//", "- - " + str(death.year), "/ /" + str(death.year))), None
    if form < 0.08 and death.day is not None:
        return wording.cut_lunar(rng, hand, death), None
    if form < 0.1:
        return (
            f"{wording.cut_day(rng, hand, death)} {rng.choice(('tại', 'Tại', 'ở'))} {rng.choice(wording.DEATH_PLACES)}",
            death.iso(),
        )
    return wording.cut_day(rng, hand, death), death.iso()


def _fact_lines(rng: Random, hand: Hand) -> tuple[list[str], dict[str, Any]]:
    """The labelled lines of a martyr's stone in one of the usual orders, and the facts they state."""
    life = _life(rng)
    facts: dict[str, Any] = {}
    lines: dict[str, list[str]] = {}

    def say(key: str, value: str) -> str:
        return wording.join_label(rng.choice(LABELS[key]), hand, value)

    if rng.random() < 0.88:
        lines["birth"] = [say("birth", wording.cut_day(rng, hand, life.birth))]
        facts["birth_date"] = life.birth.iso()
    if rng.random() < 0.92:
        place = wording.draw_place(rng)
        lines["home"] = _wrapped(rng.choice(LABELS["home"]), hand, wording.cut_place(rng, hand, place), rng)
        facts["hometown"] = place
    if rng.random() < 0.5:
        lines["enlist"] = [say("enlist", wording.cut_day(rng, hand, life.enlist))]
        facts["enlist_date"] = life.enlist.iso()
    if rng.random() < 0.4:
        rank = rng.choice(rng.choice(lexicon().ranks).forms)
        lines["rank"], facts["rank"] = [say("rank", rank)], rank
    if rng.random() < 0.35:
        position = rng.choice(lexicon().positions.draw(rng).forms)
        if "rank" in lines and rng.random() < 0.4:
            joint = rng.choice((" - ", ", ", "  "))
            lines["rank"] = [lines["rank"][0] + joint + (position if joint != "  " else say("position", position))]
        else:
            lines["position"] = [say("position", position)]
        facts["position"] = position
    if rng.random() < 0.55:
        unit = wording.draw_unit(rng)
        lines["unit"], facts["unit"] = [say("unit", unit)], unit
    if rng.random() < 0.95:
        text, iso = _death_text(rng, hand, life.death)
        lines["death"] = [say("death", text)]
        if iso is not None:
            facts["death_date"] = iso
    if rng.random() < 0.05:
        day = wording.draw_day(rng, life.enlist.year, life.death.year, "day")
        lines["party"] = [say("party", wording.cut_day(rng, hand, day))]
    if rng.random() < 0.04:
        number = f"{rng.choice('ABKTH')}{rng.choice('KBT')} {rng.randint(10, 999)} {rng.choice(('b', 'BH', 'TTg', ''))}"
        lines["award"] = [say("award", number)]
    order = rng.choices(
        (("birth", "home", "enlist", "rank", "position", "unit", "party", "death", "award"),
         ("birth", "enlist", "rank", "position", "unit", "party", "home", "death", "award"),
         ("birth", "enlist", "party", "death", "rank", "position", "unit", "home", "award"),
         ("home", "birth", "enlist", "unit", "rank", "position", "death", "party", "award")),
        (45, 20, 20, 15),
    )[0]  # fmt: skip
    return [line for key in order for line in lines.get(key, ())], facts


def _foot(rng: Random) -> str:
    """What stands below the facts: thanks, who set the stone, or the grave's place in the cemetery."""
    row, number = rng.randint(1, 30), rng.randint(1, 900)
    return rng.choice((
        "Tổ quốc ghi công", "Đời đời nhớ ơn các liệt sĩ", "Gia đình phụng lập", f"Hàng {row} số {number % 90 + 1}",
        f"Lô {rng.choice('ABCD')} hàng {row} số {number % 90 + 1}", f"Mộ số {number}", f"Số: {number:02d}",
    ))  # fmt: skip


def _named(rng: Random, hand: Hand) -> Inscription:
    lines: list[str] = []
    roles: list[Role] = []

    def add(role: Role, *texts: str) -> None:
        lines.extend(cased(text, hand) for text in texts)
        roles.extend(role for _ in texts)

    if rng.random() < 0.15:
        add(Role.SMALL, "Tổ quốc ghi công")
    partial = rng.random() < 0.05
    name = lexicon().givens.draw(rng) if partial else wording.draw_name(rng)
    if rng.random() < 0.92:
        add(Role.HEADER, rng.choice(HEADERS))
    if rng.random() < 0.03:
        add(Role.FACT, rng.choice(("Đồng chí đại tá", "Đồng chí", "Thượng tá", "Trung tá", "Anh hùng LLVTND")))
    first, *further = _name_lines(rng, hand, name)
    add(Role.NAME, first)
    add(Role.FACT, *further)
    facts_lines, facts = _fact_lines(rng, hand)
    add(Role.FACT, *facts_lines)
    if rng.random() < 0.06:
        add(Role.FOOT, _foot(rng))
    return Inscription(tuple(lines), tuple(roles), Truth(name=name, **facts), Kind.PARTIAL if partial else Kind.NAMED)


def _unknown(rng: Random, hand: Hand) -> Inscription:
    text = rng.choice(UNKNOWN_WORDINGS)
    lines, roles = [text], [Role.HEADER]
    words = text.split()
    if len(words) > 4 and rng.random() < 0.6:
        cut = 3 if words[0] == "Mộ" else 2
        lines, roles = [" ".join(words[:cut]), " ".join(words[cut:])], [Role.HEADER, Role.NAME]
    truth = Truth(unknown=True)
    if rng.random() < 0.35:
        death = wording.draw_day(rng, 1946, 1988)
        lines.append(wording.join_label(rng.choice(LABELS["death"]), hand, wording.cut_day(rng, hand, death)))
        roles.append(Role.FACT)
        truth = Truth(unknown=True, death_date=death.iso())
    if rng.random() < 0.25:
        lines.append(f"{rng.choice(('Số', 'Mộ số', 'Hàng 3 số'))} {rng.randint(1, 400):02d}")
        roles.append(Role.FOOT)
    return Inscription(tuple(cased(line, hand) for line in lines), tuple(roles), truth, Kind.UNKNOWN)


def _collective(rng: Random, hand: Hand) -> Inscription:
    count = rng.randint(2, 40)
    lines = [rng.choice((f"Mộ tập thể {count:02d} liệt sĩ", f"Mộ {count} liệt sĩ", f"Mộ chung {count} liệt sĩ"))]
    roles = [Role.HEADER]
    for _ in range(rng.randint(0, 4)):
        lines.append(wording.draw_name(rng))
        roles.append(Role.FACT)
    death = wording.draw_day(rng, 1946, 1988)
    lines.append(wording.join_label("Hy sinh", hand, wording.cut_day(rng, hand, death)))
    roles.append(Role.FACT)
    return Inscription(
        tuple(cased(x, hand) for x in lines), tuple(roles), Truth(death_date=death.iso()), Kind.COLLECTIVE
    )


def _relocated(rng: Random, hand: Hand) -> Inscription:
    name = wording.draw_name(rng)
    lines = [
        "Liệt sĩ",
        name,
        rng.choice(("Hài cốt liệt sĩ đã di chuyển", "Đã di chuyển về quê", "Hài cốt đã di chuyển")),
    ]
    roles = (Role.HEADER, Role.NAME, Role.FACT)
    return Inscription(tuple(cased(line, hand) for line in lines), roles, Truth(name=name), Kind.RELOCATED)


def sample_martyr(rng: Random) -> Inscription:
    """One martyr's stone."""
    hand = wording.draw_hand(rng)
    maker = rng.choices((_named, _unknown, _collective, _relocated), (88, 8, 2, 2))[0]
    return maker(rng, hand)
