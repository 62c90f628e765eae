"""Where the text of a picture is: its lines, which way up it stands, and what they say.

Everything here works in pixels of the decoded picture, upright by its own text; ``Sight.to_photo`` leads back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.detector import LineDetector
from models.recogniser import LineRecogniser, RecognisedLine
from preprocess.enhance import ink
from preprocess.lines import crop_line, quad_size
from preprocess.rectify import Rectified, deskew, map_quads, rectify, text_angle_deg, turn_quarters
from preprocess.stone import find_stones

_OBLIQUE_DEG = 5.0
"""Text tilted by more is found again in a flattened view. On 64 rendered stones a second look changed the character
error rate from 17.2 to 14.6 % beyond 6° and from 19.9 to 19.9 % below, where it also broke exact lines (138 to 121)."""

_JUDGED_LINES = 3  # the longest ones decide which way up a picture stands

# Mean probability a character of the three longest lines, on the 16 photos of the sample pack with the interim reader:
# upright 0.93 to 0.99 where most can be read, turned by half 0.79 to 0.94 and always at least 0.04 less; where hardly
# anything can be read, both are below 0.7 and either may be the higher one.
_SURELY_UPRIGHT = 0.95
_LEGIBLE = 0.75
_CLEARLY_BETTER = 0.03

# A frame, flower or star that was taken for text: of 118 lines read on the sample pack, a mean probability below 0.5
# drops 8 of the 22 that stand for no text at all and no right character of the others; 0.7 would drop 16, and with them
# worn lines that were half right.
_LEAST_LEGIBLE = 0.5


@dataclass(frozen=True, slots=True)
class Sight:
    """A picture upright by its text, with the lines found in it.

    ``image`` is BGR uint8; ``to_photo`` is the (3, 3) homography from its pixels to those of the decoded picture;
    ``quads`` are (4, 2), clockwise from the top left of the text.
    """

    image: np.ndarray
    to_photo: np.ndarray
    quads: tuple[np.ndarray, ...]


def find_lines(image: np.ndarray, detector: LineDetector, recogniser: LineRecogniser) -> Sight:
    """Find the text lines of a picture; one whose lines mostly stand on end is turned to the side that reads better."""
    found = _detect(turn_quarters(image, 0), detector)
    if not _stands_on_end(found.quads):
        return _found_again(found, detector)
    tries = [_found_again(_detect(turn_quarters(image, quarters), detector), detector) for quarters in (1, 3)]

    def readable(sight: Sight) -> float:
        return legibility([_read_line(sight, sight.quads[i], recogniser) for i in _longest(sight.quads)])

    return max(tries, key=readable)


def read_lines(sight: Sight, recogniser: LineRecogniser) -> list[RecognisedLine]:
    """Read every line of a sight, as dark letters on an even ground, in the order of its quads."""
    return [_read_line(sight, quad, recogniser) for quad in sight.quads]


def turned_over(sight: Sight, seen: Sequence[RecognisedLine], recogniser: LineRecogniser) -> Sight | None:
    """The sight turned by half, where its text reads clearly better so; None where it stands as it should."""
    longest = _longest(sight.quads)
    own = legibility([seen[i] for i in longest])
    if not longest or own >= _SURELY_UPRIGHT:
        return None
    turn = turn_quarters(sight.image, 2)
    quads = map_quads([np.roll(quad, 2, axis=0) for quad in sight.quads], np.linalg.inv(turn.to_photo))
    turned = Sight(turn.image, sight.to_photo @ turn.to_photo, tuple(quads))
    other = legibility([_read_line(turned, quads[i], recogniser) for i in longest])
    return turned if other > max(_LEGIBLE, own + _CLEARLY_BETTER) else None


def _read_line(sight: Sight, quad: np.ndarray, recogniser: LineRecogniser) -> RecognisedLine:
    return recogniser.read(ink(crop_line(sight.image, quad, recogniser.height_px)))


def _longest(quads: Sequence[np.ndarray]) -> list[int]:
    return sorted(range(len(quads)), key=lambda i: -quad_size(quads[i])[0])[:_JUDGED_LINES]


def legibility(seen: Sequence[RecognisedLine]) -> float:
    """Mean probability of a character over lines; 0 for none."""
    means = [float(np.mean(line.char_confidences)) if line.char_confidences else 0.0 for line in seen]
    return float(np.mean(means)) if means else 0.0


def is_text(seen: RecognisedLine) -> bool:
    """Whether a line says anything: some letter or digit, and characters that the reader mostly believes."""
    return any(char.isalnum() for char in seen.text) and legibility([seen]) >= _LEAST_LEGIBLE


def _detect(view: Rectified, detector: LineDetector) -> Sight:
    quads = tuple(np.asarray(line.quad, dtype=np.float32) for line in detector.detect(view.image))
    return Sight(view.image, view.to_photo, quads)


def _found_again(sight: Sight, detector: LineDetector) -> Sight:
    """Oblique text found once more where its stone, or at least its direction, is level; other sights as they are."""
    angle_deg = text_angle_deg(sight.quads)
    if abs(angle_deg) < _OBLIQUE_DEG:
        return sight
    faces = find_stones(sight.image, sight.quads)
    side_px = max(sight.image.shape[:2])
    if len(faces) == 1:
        view = rectify(sight.image, faces[0].quad, sight.quads, max_side_px=side_px)
    else:
        view = deskew(sight.image, angle_deg, max_side_px=side_px)
    quads = map_quads(_detect(view, detector).quads, view.to_photo)
    return Sight(sight.image, sight.to_photo, tuple(quads))


def _stands_on_end(quads: Sequence[np.ndarray]) -> bool:
    """Whether more text, by length, runs up and down than along."""
    sizes = [quad_size(quad) for quad in quads]
    upended = sum(height for width, height in sizes if height > 1.5 * width)
    return upended > sum(width for width, height in sizes if width > 1.5 * height)
