"""Model bundles: weights, dictionary, decoding options and calibration that belong together, checked by checksum.

A bundle is a folder ``<name>/<version>/`` with a ``bundle.toml``. Its weights are files in that folder or files that an
installed package ships; such a package is found on the path and never imported. An ``inference.yml`` of PaddleOCR may
come with a model: its settings hold where the manifest has none. Which bundles serve a profile (``accurate``, ``fast``)
is said by ``weights/profiles.toml``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from models.choices import DEFAULT_PROFILE
from models.errors import BundleError
from models.paddle_config import detector_options, recogniser_options

WEIGHTS_DIR = Path(__file__).parent / "weights"
PROFILES = WEIGHTS_DIR / "profiles.toml"
INTERIM_NAME = "interim"
MANIFEST = "bundle.toml"
_OPTIONAL_FILES = ("charset", "language")
_CALIBRATIONS = ("calibration", "char_calibration")
SCHEMA = 1
RECOGNISER_KINDS = ("asterocr", "ppocr")
DETECTOR_KINDS = ("ppocr",)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic model for the chance that a line, or a character, is right: named features and their weights."""

    bias: float
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """Where the line detector's weights are and how it is to be run; what a bundle leaves open is as measured best.

    ``side_px`` is the longest side of what the network sees; ``mean`` and ``std`` belong to blue, green, red in 0..1.
    """

    kind: str
    model: Path
    side_px: int = 736
    binary_threshold: float = 0.3
    box_threshold: float = 0.6
    unclip_ratio: float = 1.4
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class RecogniserSpec:
    """Where the recogniser's weights are and how its input is made and its output decoded.

    Without a ``language`` file the network alone decides; ``models.language.LanguagePrior`` says what weighs how. From
    a weight of 0.3 on, lines of made-up syllables begin to lose; at the default 600 of them have 18.0 % character
    errors (18.6 without), 600 held-out rendered lines 10.2 % (12.4 without).
    """

    kind: str
    model: Path
    height_px: int
    charset: Path | None = None
    min_width_px: int = 32
    max_width_px: int = 3200
    beam_width: int = 8
    alternatives: int = 5
    language: Path | None = None
    language_weight: float = 0.25
    length_bonus: float = 0.5
    calibration: Calibration | None = None
    char_calibration: Calibration | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """One detector and one recogniser with their origin; ``id`` names them in every reading."""

    name: str
    version: str
    licence: str
    origin: str
    detector: DetectorSpec
    recogniser: RecogniserSpec
    folder: Path
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Return ``name@version``."""
        return f"{self.name}@{self.version}"


def load_bundle(name_or_path: str | Path | None = None, profile: str = DEFAULT_PROFILE) -> Bundle:
    """Load a bundle and verify the checksum of every file in it (hashed once a process).

    ``name_or_path`` is a folder with a ``bundle.toml``, a shipped ``name`` (its newest version) or ``name@version``;
    None is the newest shipped bundle of ``profile``. Raises BundleError.
    """
    folder = _profile_folder(profile) if name_or_path is None else _find_folder(name_or_path)
    bundle = _read_bundle(folder)
    if folder.parent.parent == WEIGHTS_DIR and bundle.id != f"{folder.parent.name}@{folder.name}":
        raise BundleError(f"Bundle {folder} calls itself {bundle.id}; put it where its name and version say.")
    return bundle


def shipped_bundles() -> list[str]:
    """Return the ids of the bundles that ship, sorted by name, oldest version first."""
    return [
        f"{name.name}@{version.name}"
        for name in sorted(WEIGHTS_DIR.iterdir())
        if name.is_dir()
        for version in _versions(name)
    ]


def _profile_folder(profile: str) -> Path:
    names_of = tomllib.loads(PROFILES.read_text(encoding="utf-8"))
    if profile not in names_of:
        raise BundleError(f"No profile {profile!r}; choose one of {', '.join(names_of)}.")
    for name in names_of[profile]:
        if versions := _versions(WEIGHTS_DIR / name):
            return versions[-1]
    raise BundleError(
        f"Profile {profile!r} has no bundle: {names_of[profile][0]} does not ship in {WEIGHTS_DIR}; "
        "choose another profile or name a bundle."
    )


def _find_folder(name_or_path: str | Path) -> Path:
    if (folder := Path(name_or_path)).joinpath(MANIFEST).is_file():
        return folder
    name, _, version = str(name_or_path).partition("@")
    if name and Path(name).name == name:
        versions = [found for found in _versions(WEIGHTS_DIR / name) if not version or found.name == version]
        if versions:
            return versions[-1]
    raise BundleError(f"No bundle {str(name_or_path)!r}; name a folder with {MANIFEST} or one of {shipped_bundles()}.")


def _versions(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    found = [version for version in folder.iterdir() if (version / MANIFEST).is_file()]
    return sorted(
        found,
        key=lambda path: [
            (not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in path.name.split(".")
        ],
    )


def _read_bundle(folder: Path) -> Bundle:
    try:
        manifest = tomllib.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(f"Bundle manifest {folder / MANIFEST} cannot be read: {error}") from error
    if manifest.get("schema") != SCHEMA:
        raise BundleError(
            f"Bundle {folder} has schema {manifest.get('schema')!r}, this version reads {SCHEMA}; update."
        )
    files = {key: _locate(folder, key, entry) for key, entry in manifest.get("files", {}).items()}
    try:
        return Bundle(
            name=str(manifest["name"]),
            version=str(manifest["version"]),
            licence=str(manifest["licence"]),
            origin=str(manifest["origin"]),
            detector=_detector(manifest["det"], files),
            recogniser=_recogniser(manifest["rec"], files),
            folder=folder,
            files=files,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"Bundle manifest {folder / MANIFEST} is incomplete or wrong: {error!r}") from error


def _detector(section: Mapping[str, Any], files: Mapping[str, Path]) -> DetectorSpec:
    if section["kind"] not in DETECTOR_KINDS:
        raise BundleError(f"Detector kind {section['kind']!r} is unknown; this version runs {DETECTOR_KINDS}.")
    options = detector_options(files[section["config"]]) if "config" in section else {}
    options |= {key: value for key, value in section.items() if key not in {"model", "config"}}
    for key in {"mean", "std"} & options.keys():
        options[key] = tuple(float(value) for value in options[key])
    return DetectorSpec(model=files[section["model"]], **options)


def _recogniser(section: Mapping[str, Any], files: Mapping[str, Path]) -> RecogniserSpec:
    if section["kind"] not in RECOGNISER_KINDS:
        raise BundleError(f"Recogniser kind {section['kind']!r} is unknown; this version runs {RECOGNISER_KINDS}.")
    options = recogniser_options(files[section["config"]]) if "config" in section else {}
    special = {"model", "config", *_OPTIONAL_FILES, *_CALIBRATIONS}
    options |= {key: value for key, value in section.items() if key not in special}
    options |= {key: files[section[key]] for key in _OPTIONAL_FILES if key in section}
    for key in _CALIBRATIONS:
        if fitted := section.get(key):
            options[key] = Calibration(float(fitted["bias"]), dict(fitted["weights"]))
    return RecogniserSpec(model=files[section["model"]], **options)


def _locate(folder: Path, key: str, entry: Mapping[str, str]) -> Path:
    """Return the verified path of one file entry: ``path`` below the bundle's folder or an installed ``package``."""
    relative = Path(entry.get("path", ""))
    if relative.is_absolute() or ".." in relative.parts or not relative.name:
        raise BundleError(f"Bundle file {key!r} must be a path below the bundle, not {str(relative)!r}.")
    path = (_package_folder(entry["package"]) if "package" in entry else folder) / relative
    if not path.is_file():
        raise BundleError(f"Bundle file {path} is missing; install the project again.")
    if sha256_of(path) != entry.get("sha256"):
        raise BundleError(f"Bundle file {path} does not match its checksum; install the project again.")
    return path


def _package_folder(package: str) -> Path:
    # find_spec of a top-level name reads the file system only: the package's code never runs.
    spec = importlib.util.find_spec(package) if "." not in package else None
    if spec is None or not spec.submodule_search_locations:
        raise BundleError(f"Package {package!r}, which holds a model, is not installed; run `make install`.")
    return Path(next(iter(spec.submodule_search_locations)))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex; remembered for the process as long as size and time stay the same."""
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _sha256(path: Path, size_bytes: int, modified_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
