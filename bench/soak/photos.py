"""Sample photos made unique: each copy carries a JPEG comment of its own, so its bytes differ and its pixels do not."""

from __future__ import annotations

from pathlib import Path

SAMPLES = Path(__file__).parents[2] / "datasets" / "samples"
_START_OF_IMAGE, _COMMENT = b"\xff\xd8", b"\xff\xfe"


def unique_copy(jpeg: bytes, words: str) -> bytes:
    """The picture with a comment segment (ITU-T T.81, B.2.4.5) after its start."""
    text = words.encode("ascii")
    segment = _COMMENT + (len(text) + 2).to_bytes(2, "big") + text
    return _START_OF_IMAGE + segment + jpeg.removeprefix(_START_OF_IMAGE)


def write_photos(folder: Path, count: int, seed: int) -> None:
    """Fill a folder with ``count`` photos, no two with the same bytes, 500 to a subfolder."""
    samples = [path.read_bytes() for path in sorted(SAMPLES.glob("*.jpg"))]
    for number in range(count):
        path = folder / f"row_{number // 500:03d}" / f"IMG_{number:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(unique_copy(samples[number % len(samples)], f"soak {seed} {number}"))
