"""Flat things with lettering that are no headstones: plates, boards with tables, plans with cells, sheets of text.

Each is drawn from the front as a ``uint8`` BGR image with the texts on it; ``datasets.other_pictures`` photographs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from datasets import wording
from datasets.dice import Dice
from datasets.fonts import Face
from datasets.glyphs import Setting, draw_row, row_width
from datasets.lettering import Colour
from datasets.textures import Image, Material, surface

DARK_GROUNDS = (Material.BLACK, Material.RED, Material.GREEN)
_PAINTS: dict[bool, tuple[Colour, ...]] = {
    True: ((236, 238, 238), (70, 175, 220), (40, 205, 240)),
    False: ((22, 20, 20), (45, 40, 190), (150, 75, 35)),
}


@dataclass(slots=True)
class Panel:
    """A surface that is being lettered: its image, the paint of its letters, and what was written so far."""

    image: Image
    paint: Colour
    texts: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, dice: Dice, material: Material, width_px: int, height_px: int, held_out: bool = False) -> Panel:
        """An empty panel of a material, with a paint that can be told from it."""
        image = surface(dice.rng, material, height_px, width_px, held_out, grain=0.8)
        return cls(image, dice.choice(_PAINTS[float(image.mean()) < 115]))

    @classmethod
    def plain(cls, ground: Colour, paint: Colour, width_px: int, height_px: int) -> Panel:
        """An empty panel of one colour: enamel, paper, printed foil."""
        return cls(np.full((height_px, width_px, 3), ground, np.uint8), paint)

    def write(
        self, text: str, face: Face, cap_px: float, at: tuple[float, float], room_px: float, align: float
    ) -> None:
        """One row; ``at`` is its baseline's left end for ``align`` 0, middle for 0.5, right end for 1."""
        setting = Setting(face.path, cap_px)
        stretch = min(1.0, room_px / max(1.0, row_width(text, setting)))
        row = draw_row(text, Setting(face.path, cap_px, stretch=stretch))
        high, wide = row.mask.shape
        left, top = round(at[0] - align * wide), round(at[1] - row.baseline_px)
        x0, y0 = max(0, left), max(0, top)
        window = self.image[y0 : top + high, x0 : left + wide]
        if window.size == 0:
            return
        share = row.mask[y0 - top : y0 - top + window.shape[0], x0 - left : x0 - left + window.shape[1]]
        cover = share.astype(np.float32)[:, :, None] / 255
        window[:] = (window + (np.array(self.paint, np.float32) - window) * cover).astype(np.uint8)
        self.texts.append(text)

    def rule(self, start: tuple[float, float], end: tuple[float, float], width_px: int) -> None:
        """A line of the letters' paint."""
        ends = [(round(x), round(y)) for x, y in (start, end)]
        cv2.line(self.image, ends[0], ends[1], self.paint, width_px, cv2.LINE_AA)


def lettered(
    dice: Dice, panel: Panel, face: Face, texts: Sequence[str], caps_px: Sequence[float], gap: float = 0.9
) -> Panel:
    """Rows set one below the other in the middle of a panel; ``gap`` is in cap heights."""
    height, width = panel.image.shape[:2]
    y = (height - sum(cap * (1 + gap) for cap in caps_px) + gap * caps_px[-1]) / 2
    for text, cap in zip(texts, caps_px, strict=True):
        y += cap
        panel.write(text, face, cap, (width / 2, y), width * dice.uniform(0.86, 0.92), 0.5)
        y += gap * cap
    return panel


def name_board(dice: Dice, face: Face, held_out: bool) -> Panel:
    """A table of the fallen of a commune: number, name, years, hometown; in one block of columns or two."""
    rng = dice.rng
    rows, blocks = rng.randint(9, 26), rng.choice((1, 1, 2))
    cap = dice.uniform(13, 17)
    width, pitch = round(dice.uniform(640, 760) * blocks), cap * dice.uniform(1.9, 2.4)
    head = cap * 8
    material = dice.choice((Material.BLACK, Material.RED, Material.MARBLE, Material.GREY, Material.GREEN))
    panel = Panel.of(dice, material, width, round(head + (rows + 2) * pitch), held_out)
    place = wording.draw_place(rng)
    title = rng.choice(
        ("DANH SÁCH LIỆT SĨ", "BIA GHI DANH LIỆT SĨ", "DANH SÁCH CÁC ANH HÙNG LIỆT SĨ", "BẢNG GHI TÊN LIỆT SĨ")
    )
    panel.write(title, face, cap * 1.7, (width / 2, cap * 3.2), width * 0.9, 0.5)
    panel.write(f"XÃ {place.commune.upper()}", face, cap * 1.3, (width / 2, cap * 6), width * 0.9, 0.5)
    headed, ruled = dice.chance(0.8), dice.chance(0.6)
    for block in range(blocks):
        left, room = 30 + block * width / blocks, width / blocks - 50
        columns = (0.0, 0.09, 0.5, 0.64, 1.0)
        for row in range(rows + 1):
            y = head + (row + 0.75) * pitch
            if row == 0:
                cells = ("STT", "HỌ VÀ TÊN", "SINH", "HY SINH") if headed else ()
            else:
                died = rng.randint(1946, 1985)
                cells = (f"{block * rows + row}", wording.draw_name(rng), f"{died - rng.randint(18, 35)}", f"{died}")
                cells = (*cells[:3], f"{rng.randint(1, 28)}/{rng.randint(1, 12)}/{died}") if dice.chance(0.6) else cells
            for cell, start, stop in zip(cells, columns, columns[1:], strict=False):
                panel.write(cell, face, cap, (left + start * room, y), (stop - start) * room * 0.95, 0.0)
            if ruled:
                panel.rule((left, y + 0.45 * pitch), (left + room, y + 0.45 * pitch), 1)
    return panel


def number_plate(dice: Dice, face: Face, held_out: bool) -> Panel:
    """A small plate with the number of a grave, a row or a lot."""
    rng = dice.rng
    number, row, lot = rng.randint(1, 400), rng.randint(1, 30), rng.choice("ABCDE")
    texts = rng.choice((
        (f"{number}",), (f"{number:02d}",), ("SỐ", f"{number}"), (f"MỘ SỐ {number}",), ("MỘ SỐ", f"{number}"),
        (f"{lot}{row}", f"{number}"), (f"LÔ {lot}", f"HÀNG {row}", f"SỐ {number}"), (f"HÀNG {row}", f"MỘ {number}"),
        (f"{lot}{row} - {number}",), (f"HÀNG {row}",), (f"LÔ {lot}",), (f"KHU {lot}", f"HÀNG {row}"),
        (f"K{row}-H{number % 20 + 1}-M{number}",),
    ))  # fmt: skip
    cap = dice.uniform(70, 120)
    width = round(max(cap * 2.4, 1.05 * cap * max(map(len, texts))))
    height = round(cap * (len(texts) * 1.8 + 0.8))
    if dice.chance(0.5):
        ground, paint = dice.choice(
            (((238, 238, 236), (150, 40, 20)), ((170, 60, 25), (240, 240, 240)), ((40, 40, 200), (235, 235, 235)))
        )
        panel = Panel.plain(ground, paint, width, height)
    else:
        materials = (Material.CEMENT, Material.WHITEWASH, Material.BLACK, Material.STEEL, Material.TILE)
        panel = Panel.of(dice, dice.choice(materials), width, height, held_out)
    if dice.chance(0.5):
        cv2.rectangle(panel.image, (6, 6), (width - 7, height - 7), panel.paint, 3)
    return lettered(dice, panel, face, texts, [cap] * len(texts), 0.7)


def plan(dice: Dice, face: Face) -> Panel:
    """A cemetery's plan: lots of numbered cells along paths, with a heading and a few names of places."""
    rng = dice.rng
    ground = dice.choice(((245, 246, 246), (225, 238, 244), (236, 232, 215)))
    panel = Panel.plain(ground, dice.choice(((30, 25, 20), (140, 60, 20), (40, 40, 160))), 1400, 1000)
    place = wording.draw_place(rng)
    title = rng.choice(("SƠ ĐỒ NGHĨA TRANG LIỆT SĨ", "SƠ ĐỒ MỘ LIỆT SĨ", "SƠ ĐỒ VỊ TRÍ MỘ", "BẢN ĐỒ NGHĨA TRANG"))
    panel.write(title, face, 34, (700, 70), 1200, 0.5)
    panel.write(f"XÃ {place.commune.upper()} - {place.district.upper()}", face, 24, (700, 125), 1200, 0.5)
    lots = [(x, y) for y in (180, 570) for x in (60, 730)][: rng.choice((2, 4, 4))]
    number = 0
    cell_w, cell_h = rng.choice(((60, 46), (75, 55), (100, 60)))
    for index, (left, top) in enumerate(lots):
        panel.write(f"{rng.choice(('KHU', 'LÔ'))} {'ABCD'[index]}", face, 22, (left, top + 24), 300, 0.0)
        for row in range(310 // cell_h):
            for column in range(600 // cell_w):
                number += 1
                x, y = left + column * cell_w, top + 40 + row * cell_h
                cv2.rectangle(panel.image, (x, y), (x + cell_w, y + cell_h), panel.paint, 2)
                if dice.chance(0.93):
                    panel.write(f"{number}", face, 15, (x + cell_w / 2, y + cell_h / 2 + 7), cell_w * 0.8, 0.5)
    panel.write(
        rng.choice(("CỔNG CHÍNH", "ĐÀI TƯỞNG NIỆM", "ĐƯỜNG ĐI", "NHÀ QUẢN TRANG")), face, 20, (700, 980), 400, 0.5
    )
    return panel


_RULES = (
    "Giữ gìn vệ sinh chung, không xả rác bừa bãi", "Không trèo lên mộ, không bẻ hoa, cây cảnh",
    "Đi nhẹ, nói khẽ, ăn mặc lịch sự", "Để xe đúng nơi quy định", "Thắp hương đúng nơi quy định",
    "Mọi người đến viếng phải liên hệ ban quản lý", "Mở cửa từ 6 giờ đến 18 giờ hàng ngày",
)  # fmt: skip


def sheet(dice: Dice, face: Face) -> Panel:
    """Lettering that tells of no grave: house rules, a letter, a seller's sign."""
    rng = dice.rng
    ground, paint = dice.choice(
        (((244, 246, 246), (30, 25, 25)), ((150, 60, 20), (240, 240, 240)), ((225, 238, 244), (120, 40, 20)))
    )
    panel = Panel.plain(ground, paint, 1000, 1250)
    form = dice.choice(("rules", "letter", "shop"))
    if form == "rules":
        texts = [
            rng.choice(("NỘI QUY NGHĨA TRANG", "NỘI QUY")),
            *(f"{i}. {t}" for i, t in enumerate(rng.sample(_RULES, 5), 1)),
        ]
    elif form == "letter":
        texts = [
            rng.choice(("THƯ MỜI", "THÔNG BÁO", "BIÊN BẢN BÀN GIAO")),
            *rng.sample(_RULES, 5),
            "Người lập biên bản",
        ]
    else:
        word = wording.draw_place(rng).commune.upper()
        texts = [f"CƠ SỞ ĐÁ MỸ NGHỆ {word}", "NHẬN KHẮC BIA MỘ", f"ĐT: 09{rng.randint(10**7, 10**8 - 1)}"]
    caps = [dice.uniform(34, 44)] + [dice.uniform(20, 26)] * (len(texts) - 1)
    return lettered(dice, panel, face, texts, caps, 1.6)
