"""Where the text of a picture is: its lines, which way up it stands, and what they say.

Everything here works in pixels of the decoded picture, upright by its own text; ``Sight.to_photo`` leads back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.engines import TextDetector, TextRecogniser
from models.recogniser import RecognisedLine
from preprocess.enhance import lightened
from preprocess.lines import crop_line, quad_size
from preprocess.rectify import map_quads, turn_quarters

# Small text in a large frame is lost when the whole frame is shrunk for the detector. 20 held-out rendered stones, set
# into a frame twice and three times their size: character error rate 36 and 58 % in one look, 17 and 25 % with a second
# one. In their own frames, of which text took up to 0.6, it helped none (195 lines, 3.5 against 3.8 %).
_FAR = 0.4  # of the frame's longer side
_NEARER_SURROUNDINGS = 0.5  # of the text's extent, on every side: lines that the first look missed
_FEW_LINES = 3  # too few to say where the inscription ends: the whole frame is looked at again, larger
_FINE_SIDE_PX = 1280

# A picture with fewer lines, or with a lower mean chance of a line to be exactly right, is looked at again, lightened.
# 160 rendered stones, 60 of them worn: of 16,940 characters 1,855 wrong before, 1,610 after; of 1,049 lines 84 missed,
# 67 after, for another look at 33 photos. At all of them: 1,555 wrong and 64 missed.
_ENOUGH_LINES = 3
_WELL_READ = 0.7

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
    """Find the text lines of a picture, near enough and not standing on end.

    Oblique text is made level and flat line by line, when it is cut out. Finding it again in a flattened view did not
    help: twelve rendered stones turned by 9 to 32° read alike either way (4 % wrong), and eleven between 4° and 6.5°.
    """
    return stood_up(look_nearer(first_look(image, detector), detector), detector, recogniser)


def first_look(image: np.ndarray, detector: TextDetector) -> Sight:
    """The lines that the detector finds in the whole picture as it is."""
    return Sight(image, np.eye(3), tuple(_quads(image, detector)))


def look_nearer(sight: Sight, detector: TextDetector) -> Sight:
    """The sight with its lines found once more nearer by, where they take up little of a frame seen much shrunk."""
    return replace(sight, quads=tuple(_found_nearer(sight.image, sight.quads, detector)))


def stood_up(sight: Sight, detector: TextDetector, recogniser: TextRecogniser) -> Sight:
    """The sight as it is, or where its lines mostly stand on end, turned to the side that reads better."""
    if not _stands_on_end(sight.quads):
        return sight
    tries = [_turned(sight, quarters, detector) for quarters in (1, 3)]

    def readable(side: Sight) -> float:
        return legibility(_read(side, [side.quads[i] for i in _longest(side.quads)], recogniser))

    return max(tries, key=readable)


def read_lines(sight: Sight, recogniser: TextRecogniser) -> list[RecognisedLine]:
    """Read every line of a sight once, in the order of its quads."""
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


def in_more_light(
    sight: Sight, seen: Sequence[RecognisedLine], detector: TextDetector, recogniser: TextRecogniser
) -> tuple[Sight, list[RecognisedLine]] | None:
    """Lines found after the dark parts were lifted, and what they say; None where enough is seen, or no more so.

    Only the detector needs more light: lines are cut from the picture as it is.
    """
    chances = [line.confidence for line in seen if is_text(line)]
    if len(chances) >= _ENOUGH_LINES and float(np.mean(chances)) >= _WELL_READ:
        return None
    bright = lightened(sight.image)
    lit = replace(sight, quads=tuple(_found_nearer(bright, _quads(bright, detector), detector)))
    again = read_lines(lit, recogniser)
    return (lit, again) if _legible_chars(again) > _legible_chars(seen) else None


def _legible_chars(seen: Sequence[RecognisedLine]) -> float:
    """How many characters of text the reader believes to see."""
    return sum(len(line.text) * legibility([line]) for line in seen if is_text(line))


def _read(sight: Sight, quads: Sequence[np.ndarray], recogniser: TextRecogniser) -> list[RecognisedLine]:
    """Read lines all in one go, so that an engine may put them into batches."""
    return recogniser.read_many([crop_line(sight.image, quad, recogniser.height_px) for quad in quads])


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


def _turned(sight: Sight, quarters: int, detector: TextDetector) -> Sight:
    view = turn_quarters(sight.image, quarters)
    return look_nearer(replace(first_look(view.image, detector), to_photo=sight.to_photo @ view.to_photo), detector)


def _found_nearer(image: np.ndarray, quads: Sequence[np.ndarray], detector: TextDetector) -> Sequence[np.ndarray]:
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
