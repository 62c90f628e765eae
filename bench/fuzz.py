"""Damaged files: 10,000 mutated photos must each become a reading or a refusal with its reason; nothing may crash.

``make bench ONLY=fuzz``. Sample photos, small, in eight formats are cut off, overwritten, spliced and shuffled; the
mutations follow from the file's number, so that a crash can be repeated. Processes of their own read them, so that a
decoder that dies is seen and counted, and the next process goes on behind the file that killed it.
"""

from __future__ import annotations

import io
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.queues import SimpleQueue
from random import Random

import pillow_heif
from PIL import Image
from rich.console import Console

from datasets.pack import SAMPLES_DIR
from ocr_service.reading import Reader, load_reader, read_photo
from ocr_service.records import ReadingStatus, RejectReason

FILES = 10_000
_SIDE_PX = 480
_SEED_PHOTOS = 4
_FORMATS: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("JPEG", {}),
    ("JPEG", {"progressive": True, "quality": 60}),
    ("PNG", {}),
    ("WEBP", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("GIF", {}),
    ("BMP", {}),
    ("HEIF", {}),
)
_spawn = multiprocessing.get_context("spawn")


def run(console: Console, files: int = FILES) -> Mapping[str, float]:
    """Feed the reader with damaged files; the figures are counts, ``crashed`` and ``raised`` must be 0."""
    outcomes: Counter[str] = Counter()
    slowest_s, first = 0.0, 0
    while first < files:
        told: SimpleQueue[tuple[str, float]] = _spawn.SimpleQueue()
        process = _spawn.Process(target=_read_from, args=(first, files, told), daemon=True)
        process.start()
        for outcome, seconds in _until_end(process, told):
            outcomes[outcome] += 1
            slowest_s, first = max(slowest_s, seconds), first + 1
            if outcome.startswith("raised"):
                console.print(f"file {first - 1}: {outcome}", style="red")
        if process.exitcode:
            console.print(f"file {first}: the reader ended with exit code {process.exitcode}", style="red")
            outcomes["crashed"] += 1
            first += 1
    for outcome, count in outcomes.most_common():
        console.print(f"{outcome:>18} {count:6d}")
    return {
        "files": float(files),
        "read": float(outcomes["read"]),
        "refused": float(sum(outcomes[str(reason)] for reason in RejectReason)),
        "crashed": float(outcomes["crashed"]),
        "raised": float(sum(count for outcome, count in outcomes.items() if outcome.startswith("raised"))),
        "slowest_s": round(slowest_s, 2),
    }


def mutated(originals: Sequence[bytes], number: int) -> bytes:
    """The damaged file of a number: bytes overwritten, a stretch zeroed, doubled or of another file, the end lost."""
    rng = Random(number)
    data = bytearray(rng.choice(originals))
    for _ in range(rng.randint(1, 4)):
        at, length = rng.randrange(len(data)), rng.randint(1, max(1, len(data) // 8))
        match rng.randrange(6):
            case 0:
                for _ in range(rng.randint(1, 32)):
                    data[rng.randrange(len(data))] = rng.randrange(256)
            case 1:  # in the header, where decoders believe what they read
                for _ in range(rng.randint(1, 8)):
                    data[rng.randrange(min(len(data), 256))] = rng.randrange(256)
            case 2:
                data[at : at + length] = bytes(min(length, len(data) - at))
            case 3:
                data[at:at] = data[:length]
            case 4:
                other = rng.choice(originals)
                data[at : at + length] = other[at : at + length]
            case _:
                del data[max(16, at) :]
    return bytes(data)


def seeds() -> list[bytes]:
    """Small copies of sample photos in every format."""
    files = []
    for path in sorted(SAMPLES_DIR.glob("*.jpg"))[:_SEED_PHOTOS]:
        picture = Image.open(path).convert("RGB")
        picture.thumbnail((_SIDE_PX, _SIDE_PX))
        for kind, options in _FORMATS:
            out = io.BytesIO()
            picture.save(out, kind, **options)
            files.append(out.getvalue())
    return files


def _until_end(
    process: multiprocessing.process.BaseProcess, told: SimpleQueue[tuple[str, float]]
) -> Iterator[tuple[str, float]]:
    while process.is_alive() or not told.empty():
        if told.empty():
            process.join(0.05)
        else:
            yield told.get()


def _read_from(first: int, last: int, told: SimpleQueue[tuple[str, float]]) -> None:
    pillow_heif.register_heif_opener()
    reader, originals = load_reader(profile="fast"), seeds()
    for number in range(first, last):
        began = time.monotonic()
        outcome = _outcome(mutated(originals, number), reader)
        told.put((outcome, time.monotonic() - began))


def _outcome(data: bytes, reader: Reader) -> str:
    try:
        reading = read_photo(data, "damaged", reader)
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    return "read" if reading.status is ReadingStatus.READ else str(reading.reason)
