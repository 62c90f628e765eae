"""Fonts that can write Vietnamese, sorted by the look they have on stones.

They are taken from ``$HEADSTONE_FONTS`` (folders separated like PATH), from ``datasets/.fonts`` (filled by
``python -m datasets.fonts --fetch``, see ``datasets/font_fetch.py``, never committed), from the system's folders, and
from ``datasets/fonts_shipped``: one open font, so that a bare machine can draw too. A font file counts only if it draws
every Vietnamese letter, with its marks, as a shape of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from datasets.font_coverage import writes_vietnamese

CACHE_DIR = Path(__file__).parent / ".fonts"
SHIPPED_DIR = Path(__file__).parent / "fonts_shipped"
SYSTEM_DIRS = (Path("/usr/share/fonts"), Path("/usr/share/texmf/fonts/opentype"), Path("/usr/local/share/fonts"))


class Style(StrEnum):
    """The look of a face, as far as the choice of faces for a stone goes."""

    BOOKMAN = "bookman"
    SERIF = "serif"
    SLAB = "slab"
    SANS = "sans"
    CONDENSED = "condensed"
    SCRIPT = "script"
    HAND = "hand"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Face:
    """One font file that writes Vietnamese. ``held_out`` faces are for validation and never drawn in training."""

    path: Path
    family: str
    style: Style
    bold: bool
    italic: bool
    held_out: bool


# Family names as file names begin, lower case without separators. Longest match wins; unlisted families are OTHER.
_STYLES: dict[Style, tuple[str, ...]] = {
    Style.BOOKMAN: ("texgyrebonum", "youngserif", "texgyreschola", "sourceserif", "domine", "fraunces"),
    Style.SERIF: (
        "texgyretermes", "texgyrepagella", "tinos", "liberationserif", "freeserif", "dejavuserif", "merriweather",
        "lora", "playfairdisplay", "ptserif", "literata", "ebgaramond", "crimsonpro", "cormorant", "notoserif",
        "bodonimoda", "newsreader", "ibmplexserif", "inriaserif", "alegreya", "charissil", "vollkorn", "junicode",
        "dmserif", "spectral", "librecaslon",
    ),
    Style.SLAB: ("robotoslab", "bitter", "zillaslab", "arvo", "besley"),
    Style.SANS: (
        "texgyreheros", "texgyreadventor", "liberationsans", "arimo", "freesans", "dejavusans", "roboto", "opensans",
        "lato", "inter", "notosans", "barlow", "montserrat", "bevietnampro", "nunito", "archivo", "mulish", "asap",
        "firasans", "sarabun", "kanit", "exo2", "jost", "josefinsans", "lexend", "worksans", "raleway", "cabin",
        "baijamjuree", "comfortaa", "varelaround", "quicksand", "publicsans", "manrope", "mavenpro", "ibmplexsans",
    ),
    Style.CONDENSED: (
        "texgyreheroscn", "liberationsansnarrow", "robotocondensed", "opensanscondensed", "barlowcondensed",
        "barlowsemicondensed", "oswald", "antonio", "leaguegothic", "anton", "bigshoulders", "saira", "bebasneue",
        "dejavusanscondensed", "ptsansnarrow",
    ),
    Style.SCRIPT: (
        "texgyrechorus", "dancingscript", "pacifico", "lobster", "greatvibes", "alexbrush", "allura", "meowscript",
        "hurricane", "sacramento", "oleoscript", "charm",
    ),
    Style.HAND: (
        "patrickhand", "mansalva", "playpensans", "shantellsans", "caveat", "baloo2", "fredoka", "itim", "sriracha",
        "comicneue", "lilitaone", "bangers", "amaticsc", "gabriela",
    ),
}  # fmt: skip
_BY_PREFIX = sorted(((prefix, style) for style, names in _STYLES.items() for prefix in names), key=lambda p: -len(p[0]))

# One or two families of every look, none of them a redrawing of a family that is trained on
# (Arimo and Liberation Sans, Tinos and Liberation Serif are the same outlines).
HELD_OUT_FAMILIES = (
    "sourceserif", "ptserif", "spectral", "bitter", "firasans", "ibmplexsans", "antonio", "barlowsemicondensed",
    "lobster", "alexbrush", "mansalva", "fredoka",
)  # fmt: skip


# Small capitals have no lower case of their own; the others are not seen on stones or only repeat a family.
_UNWANTED = (
    "smallcap",
    "caps",
    "mono",
    "math",
    "hairline",
    "thin",
    "extralight",
    "italicvf",
    "variable",
    "junicodetwobetasemi",
    "interdisplay",
)


def _key(path: Path) -> str:
    return "".join(c for c in path.stem.lower() if c.isalnum())


def _family(key: str) -> tuple[str, Style]:
    return next(((prefix, style) for prefix, style in _BY_PREFIX if key.startswith(prefix)), (key, Style.OTHER))


def font_dirs() -> tuple[Path, ...]:
    """Folders that are searched, the most specific first."""
    named = tuple(Path(p) for p in os.environ.get("HEADSTONE_FONTS", "").split(os.pathsep) if p)
    return (*named, CACHE_DIR, *SYSTEM_DIRS, SHIPPED_DIR)


@lru_cache(maxsize=1)
def discover() -> tuple[Face, ...]:
    """All usable faces on this machine, each file name once, sorted by file name so that seeds mean the same anywhere.

    Thin and black extremes stay out of reach of ``bold``: a face is bold if its file says so.
    """
    found: dict[str, Path] = {}
    for folder in font_dirs():
        if folder.is_dir():
            for path in sorted(folder.rglob("*")):
                if path.suffix.lower() in {".ttf", ".otf"}:
                    found.setdefault(_key(path), path)
    faces = []
    for key, path in sorted(found.items()):
        family, style = _family(key)
        if style is Style.OTHER or any(word in key for word in _UNWANTED):
            continue
        if writes_vietnamese(path):
            bold = any(word in key for word in ("bold", "black", "heavy", "extrabold", "demi")) or key.endswith("bd")
            italic = "italic" in key or "oblique" in key
            faces.append(Face(path, family, style, bold, italic, key.startswith(HELD_OUT_FAMILIES)))
    return tuple(faces)


def training_faces() -> tuple[Face, ...]:
    """Faces that training may draw with; all faces if a machine has so few that none would be left."""
    return tuple(face for face in discover() if not face.held_out) or discover()


def held_out_faces() -> tuple[Face, ...]:
    """Faces that training never draws with; all faces if the machine has none of the held-out families."""
    return tuple(face for face in discover() if face.held_out) or discover()


def main() -> None:
    """List the usable faces, or fetch more of them."""
    parser = argparse.ArgumentParser(prog="python -m datasets.fonts", description=main.__doc__)
    parser.add_argument(
        "--fetch", action="store_true", help="download open font families with npm into datasets/.fonts"
    )
    if parser.parse_args().fetch:
        from datasets.font_fetch import fetch

        fetch(CACHE_DIR)
    faces = discover()
    for face in faces:
        flags = " ".join(
            w for w, on in (("bold", face.bold), ("italic", face.italic), ("held-out", face.held_out)) if on
        )
        sys.stdout.write(f"{face.style:10} {face.path.name} {flags}\n")
    sys.stdout.write(f"{len(faces)} faces: {dict(Counter(str(face.style) for face in faces))}\n")


if __name__ == "__main__":
    main()
