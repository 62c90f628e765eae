"""Where the text of a picture is: its lines, which way up it stands, and what they say.

Everything here works in pixels of the decoded picture, upright by its own text; ``Sight.to_photo`` leads back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.engines import TextDetector, TextRecogniser
from models.recogniser import RecognisedLine
from preprocess.lines import crop_line, quad_size
from preprocess.rectify import Rectified, map_quads, turn_quarters

# Small text in a large frame is lost when the whole frame is shrunk for the detector. 20 held-out rendered stones, set
# into a frame twice and three times their size: character error rate 36 and 58 % in one look, 17 and 25 % with a second
# one. In their own frames, of which text took up to 0.6, it helped none (195 lines, 3.5 against 3.8 %).
_FAR = 0.4  # of the frame's longer side
_NEARER_SURROUNDINGS = 0.5  # of the text's extent, on every side: lines that the first look missed
_FEW_LINES = 3  # too few to say where the inscription ends: the whole frame is looked at again, larger
_FINE_SIDE_PX = 1280

# A line that is not read for sure is read once more with ground around it, and the reading with the higher mean
# probability counts. 64 rendered stones: 100 of 473 lines, character error rate 9.9 to 9.6 %, exact lines 285 to 290.
# Light evened out or contrast turned round instead did not help (285 and 283). Weak evidence: five lines.
_DOUBTFUL, _SURE = 0.3, 0.95
_WIDER_MARGIN = 0.1

_JUDGED_LINES = 3  # the longest ones decide which way up a picture stands

# Mean probability a character of the three longest regions on 64 rendered stones: turned by half at most 0.905; as they
# should be 0.92 and more on 46 of them (borders among the three lower it on most others, and are left out here), and
# where above 0.8, at least 0.085 more than turned.
_SURELY_UPRIGHT = 0.92
_LEGIBLE = 0.8
_CLEARLY_BETTER = 0.03

# What is not lettering was taken for text on 64 rendered stones with 417 lines. Short regions (leaves, corners, stars)
# read as "S", "CC" or "(0", most of them with 0.2 to 0.7, while no whole short line (ÔNG, CỤ BÀ) lay below 0.8; a few
# ("S" 0.91, "(9" 0.84) pass. Longer ones, worn half away, are worth showing from 0.5 on. This and the rule on borders
# took false lines from 25 to 10 and no right line.
_LEAST_LEGIBLE = 0.5
_LEAST_LEGIBLE_SHORT = 0.75
_SHORT_CHARS = 3
# Borders of one ornament over and over read as "9919919199", with up to 0.78: at most one new character in four.
_BORDER_CHARS = 12
_BORDER_VARIETY = 0.25


@dataclass(frozen=True, slots=True)
class Sight:
    """A picture upright by its text, with the lines found in it.

    ``image`` is BGR uint8; ``to_photo`` is the (3, 3) homography from its pixels to those of the decoded picture;
    ``quads`` are (4, 2), clockwise from the top left of the text.
    """

    image: np.ndarray
    to_photo: np.ndarray
    quads: tuple[np.ndarray, ...]


def find_lines(image: np.ndarray, detector: TextDetector, recogniser: TextRecogniser) -> Sight:
    """Find the text lines of a picture; one whose lines mostly stand on end is turned to the side that reads better.

    Oblique text is made level and flat line by line, when it is cut out. Finding it again in a flattened view did not
    help: twelve rendered stones turned by 9 to 32° read alike either way (4 % wrong), and eleven between 4° and 6.5°.
    """
    found = _detect(turn_quarters(image, 0), detector)
    if not _stands_on_end(found.quads):
        return found
    tries = [_detect(turn_quarters(image, quarters), detector) for quarters in (1, 3)]

    def readable(sight: Sight) -> float:
        return legibility(_read(sight, [sight.quads[i] for i in _longest(sight.quads)], recogniser))

    return max(tries, key=readable)


def read_lines(sight: Sight, recogniser: TextRecogniser) -> list[RecognisedLine]:
    """Read every line of a sight, in the order of its quads."""
    return _read(sight, sight.quads, recogniser)


def turned_over(sight: Sight, seen: Sequence[RecognisedLine], recogniser: TextRecogniser) -> Sight | None:
    """The sight turned by half, where its text reads clearly better so; None where it stands as it should."""
    lettering = [index for index, line in enumerate(seen) if is_text(line)]
    longest = [lettering[i] for i in _longest([sight.quads[index] for index in lettering])]
    own = legibility([seen[i] for i in longest])
    if not longest or own >= _SURELY_UPRIGHT:
        return None
    turn = turn_quarters(sight.image, 2)
    quads = map_quads([np.roll(quad, 2, axis=0) for quad in sight.quads], np.linalg.inv(turn.to_photo))
    turned = Sight(turn.image, sight.to_photo @ turn.to_photo, tuple(quads))
    other = legibility(_read(turned, [quads[i] for i in longest], recogniser))
    return turned if other > max(_LEGIBLE, own + _CLEARLY_BETTER) else None


def _read(sight: Sight, quads: Sequence[np.ndarray], recogniser: TextRecogniser) -> list[RecognisedLine]:
    """Read lines all in one go, so that an engine may put them into batches."""
    seen = recogniser.read_many([crop_line(sight.image, quad, recogniser.height_px) for quad in quads])
    doubtful = [index for index, line in enumerate(seen) if _DOUBTFUL < legibility([line]) < _SURE]
    wider = recogniser.read_many(
        [crop_line(sight.image, quads[index], recogniser.height_px, margin=_WIDER_MARGIN) for index in doubtful]
    )
    for index, line in zip(doubtful, wider, strict=True):
        seen[index] = max(seen[index], line, key=lambda reading: legibility([reading]))
    return seen


def _longest(quads: Sequence[np.ndarray]) -> list[int]:
    return sorted(range(len(quads)), key=lambda i: -quad_size(quads[i])[0])[:_JUDGED_LINES]


def legibility(seen: Sequence[RecognisedLine]) -> float:
    """Mean probability of a character over lines; 0 for none."""
    means = [float(np.mean(line.char_probabilities)) if line.char_probabilities else 0.0 for line in seen]
    return float(np.mean(means)) if means else 0.0


def is_text(seen: RecognisedLine) -> bool:
    """Whether a line says anything: some letter or digit, and characters that the reader mostly believes."""
    letters = [char for char in seen.text if char.isalnum()]
    if len(seen.text) >= _BORDER_CHARS and len(set(letters)) <= _BORDER_VARIETY * len(seen.text):
        return False
    least = _LEAST_LEGIBLE_SHORT if len(letters) <= _SHORT_CHARS else _LEAST_LEGIBLE
    return bool(letters) and legibility([seen]) >= least


def _detect(view: Rectified, detector: TextDetector) -> Sight:
    return Sight(view.image, view.to_photo, tuple(_found_nearer(view.image, _quads(view.image, detector), detector)))


def _found_nearer(image: np.ndarray, quads: list[np.ndarray], detector: TextDetector) -> list[np.ndarray]:
    """Quads found once more nearer by, where they take up little of a frame that the detector saw much shrunk."""
    height, width = image.shape[:2]
    side_px = max(height, width)
    if side_px <= detector.spec.side_px:
        return quads
    corners = np.concatenate([*quads, np.zeros((0, 2), np.float32)])
    low, high = (corners.min(axis=0), corners.max(axis=0)) if quads else (np.zeros(2), np.zeros(2))
    extent_px = float((high - low).max())
    if extent_px > _FAR * side_px:
        return quads
    if len(quads) <= _FEW_LINES:
        return _quads(image, detector, _FINE_SIDE_PX)
    reach_px = _NEARER_SURROUNDINGS * extent_px
    left, top = np.maximum(low - reach_px, 0).astype(int)
    right, bottom = np.minimum(np.ceil(high + reach_px), [width, height]).astype(int)
    near = _quads(np.ascontiguousarray(image[top:bottom, left:right]), detector, detector.spec.side_px)
    return [quad + np.array([left, top], dtype=np.float32) for quad in near]


def _quads(image: np.ndarray, detector: TextDetector, side_px: int | None = None) -> list[np.ndarray]:
    return [np.asarray(line.quad, dtype=np.float32) for line in detector.detect(image, side_px)]


def _stands_on_end(quads: Sequence[np.ndarray]) -> bool:
    """Whether more text, by length, runs up and down than along."""
    sizes = [quad_size(quad) for quad in quads]
    upended = sum(height for width, height in sizes if height > 1.5 * width)
    return upended > sum(width for width, height in sizes if width > 1.5 * height)
