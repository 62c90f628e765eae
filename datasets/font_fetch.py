"""Downloads open font families (OFL or Apache-2.0) as npm packages ``@expo-google-fonts/*`` into a folder.

Needs ``npm`` on the path. Also copies the system's own usable faces there, so that the folder alone is enough on a
machine without them (a rented GPU).
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FAMILIES = (
    "alegreya", "alex-brush", "anton", "antonio", "archivo", "asap", "bai-jamjuree", "baloo-2", "bangers", "barlow",
    "barlow-condensed", "barlow-semi-condensed", "be-vietnam-pro", "bitter", "bodoni-moda", "cabin", "comfortaa",
    "cormorant-garamond", "crimson-pro", "dancing-script", "eb-garamond", "exo-2", "fira-sans", "fraunces", "fredoka",
    "great-vibes", "hurricane", "ibm-plex-sans", "ibm-plex-serif", "josefin-sans", "jost", "kanit", "league-gothic",
    "literata", "lobster", "lora", "mansalva", "meow-script", "merriweather", "montserrat", "mulish", "newsreader",
    "nunito", "open-sans-condensed", "oswald", "pacifico", "patrick-hand", "playfair-display", "playpen-sans",
    "pt-serif", "quicksand", "roboto-condensed", "roboto-slab", "saira", "sarabun", "shantell-sans", "source-serif-4",
    "spectral", "varela-round", "young-serif", "zilla-slab", "big-shoulders-display", "allura", "amatic-sc", "domine",
)  # fmt: skip
_STYLES = ("400Regular", "500Medium", "700Bold", "700Bold_Italic", "800ExtraBold")
_LEFT_ON_SYSTEM = ("dejavusans", "dejavuserif", "dejavusanscondensed", "inter")  # many large files, plain looks
_MAX_BYTES = 450_000  # larger files are pan-Unicode fonts that add no look; the folder has to travel


def _fetch_family(family: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        command = ["npm", "pack", "--silent", f"@expo-google-fonts/{family}"]
        done = subprocess.run(command, cwd=scratch, check=False, capture_output=True)  # noqa: S603
        for archive in Path(scratch).glob("*.tgz") if done.returncode == 0 else ():
            with tarfile.open(archive) as tar:
                for member in tar.getmembers():
                    path = Path(member.name)
                    source = tar.extractfile(member) if path.suffix == ".ttf" else None
                    if source is not None and path.stem.partition("_")[2] in _STYLES:
                        (folder / path.name).write_bytes(source.read())


def fetch(folder: Path) -> None:
    """Fill ``folder`` with the families above and with the system's usable faces. About 40 MB; safe to run again."""
    from datasets import fonts

    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda family: _fetch_family(family, folder), FAMILIES))
    fonts.discover.cache_clear()
    for face in fonts.discover():
        if face.path.parent != folder and face.path.stat().st_size < _MAX_BYTES and face.family not in _LEFT_ON_SYSTEM:
            shutil.copy(face.path, folder / face.path.name)
    used = {face.path for face in fonts.discover()}
    for path in folder.iterdir():
        if path not in used or path.stat().st_size > _MAX_BYTES:
            path.unlink()
    fonts.discover.cache_clear()
