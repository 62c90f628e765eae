"""Count what is claimed on stones that nobody can read: ``python -m ocr_service.evaluation.unreadable``.

Held-out rendered stones with a name, spoilt beyond reading by one defect each. A name that is given all the same is
wrong, or luck; what counts is with how much confidence.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import cv2

from datasets.bad_photos import Defect, spoil
from datasets.dice import Dice
from datasets.martyrs import sample_martyr
from datasets.pack import encode_jpeg
from datasets.stones import StoneRequest, make_stone
from datasets.truth import Kind
from ocr_service.certainty import WEAK_BELOW, certain_from
from ocr_service.evaluation.facts import spelling
from ocr_service.reading import Reader, load_reader, read_photo
from ocr_service.records import Field

DEFECTS = (Defect.WORN, Defect.DEFOCUS, Defect.SHAKE, Defect.DARK)
_NOTHING = Field(None)


@dataclass(frozen=True, slots=True)
class Claim:
    """What was made of the name of one unreadable stone."""

    defect: Defect
    true_name: str
    name: Field
    kind: Field

    @property
    def is_wrong(self) -> bool:
        """Return whether a name was given, and not the stone's."""
        return bool(self.name.value) and spelling(self.name.value) != spelling(self.true_name)


def read_unreadable(index: int, reader: Reader, strength: float = 1.0) -> Claim:
    """Render unreadable stone number ``index`` and read it; ``strength`` of its defect from 0 to 1 (hopeless)."""
    rng = Random(f"unreadable {index}")  # noqa: S311 - seeded pictures, not secrets
    inscription = sample_martyr(rng)
    while inscription.kind is not Kind.NAMED or inscription.truth.name is None:
        inscription = sample_martyr(rng)
    defect = DEFECTS[index % len(DEFECTS)]
    stone = make_stone(rng, StoneRequest(inscription, held_out=True, exif_orientation=1))
    spoilt = spoil(Dice.of(rng), stone, defect, strength)
    reading = read_photo(encode_jpeg(spoilt.image), f"{index:03d}.jpg", reader)
    return Claim(
        defect, inscription.truth.name or "", reading.record.get("name", _NOTHING), reading.record.get("kind", _NOTHING)
    )


def summary(claims: Sequence[Claim]) -> str:
    """Return one line of text for each defect and for all."""
    rows = [("all", claims), *((defect.value, [c for c in claims if c.defect is defect]) for defect in DEFECTS)]
    return "\n".join(
        f"{label}: {len(group)} stones, {sum(bool(c.name.value) for c in group)} names given, "
        f"{sum(c.is_wrong for c in group)} wrong, "
        f"{sum(c.is_wrong and c.name.confidence >= WEAK_BELOW for c in group)} of them from {WEAK_BELOW:.2f} on, "
        f"{sum(c.is_wrong and c.name.confidence >= certain_from('name') for c in group)} as certain; "
        f"{sum(c.kind.value == 'unknown' for c in group)} called the grave of an unknown"
        for label, group in rows
    )


def main() -> None:
    """Parse the command line, read, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stones", type=int, default=100, help="how many stones (default: %(default)s)")
    parser.add_argument("--strength", type=float, default=1.0, help="of the defects, 0 to 1 (default: %(default)s)")
    parser.add_argument("--bundle", help="model bundle: a folder, NAME or NAME@VERSION (default: as commands use it)")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    reader = load_reader(arguments.bundle)
    claims = [read_unreadable(index, reader, arguments.strength) for index in range(arguments.stones)]
    sys.stdout.write(summary(claims) + "\n")
    for claim in claims:
        if claim.is_wrong:
            sys.stdout.write(
                f"{claim.defect}\t{claim.true_name}\t{claim.name.value}\t{claim.name.confidence:.3f}\t"
                f"{' '.join(claim.name.flags)}\n"
            )


if __name__ == "__main__":
    main()
