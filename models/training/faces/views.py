"""Rendered stones as the network for faces learns from them: seen from elsewhere, in other light, text half found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets.pack import write_stone
from datasets.stones import StoneRequest, make_stone
from preprocess.stone import VIEW_PX, face_view, fill_quads, map_points

SEED = 3_000_000
_HARDNESS = (0.3, 0.6, 0.8)
_LONG_SIDE_PX = 320  # kept in memory; what is seen is VIEW_PX, or a part of it enlarged
_MAX_BYTES = 400_000


@dataclass(frozen=True, slots=True)
class Stone:
    """A picture (height, width, 3) BGR uint8, its face (4, 2) and lines (n, 4, 2) in its pixels."""

    picture: NDArray[np.uint8]
    face: NDArray[np.float64]
    lines: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """What the network sees, and what share of each pixel is the face; both of the size of a view."""

    planes: NDArray[np.float32]
    face: NDArray[np.float32]


def render(folder: Path, count: int) -> None:
    """Draw the first ``count`` stones of the training kind into a folder; those that are there stay."""
    for index in range(count):
        if not (folder / f"{index:05d}.json").exists():
            rng = Random(SEED + index)  # noqa: S311 (seeded pictures, not secrets)
            request = StoneRequest(long_side_px=1024, hardness=rng.choice(_HARDNESS))
            write_stone(make_stone(rng, request), folder, f"{index:05d}", _MAX_BYTES)


def load_stones(folder: Path) -> list[Stone]:
    """The stones of a folder, shrunk."""
    stones = []
    for path in sorted(folder.glob("*.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        picture = cv2.imread(str(path.with_suffix(".jpg")))
        if picture is None or not truth["line_quads"]:
            continue
        scale = _LONG_SIDE_PX / max(picture.shape[:2])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        face, lines = np.asarray(truth["stone_quad"]) * scale, np.asarray(truth["line_quads"]) * scale
        stones.append(Stone(np.asarray(small, np.uint8), face, lines))
    return stones


def plain_example(stone: Stone) -> Example:
    """The stone as it is, all of its text marked."""
    view = face_view(stone.picture, list(stone.lines))
    return Example(view.planes, fill_quads([map_points(stone.face, view.to_view)]) * view.planes[4])


def varied_example(stones: list[Stone], rng: np.random.Generator) -> Example:
    """A stone drawn from all, varied: moved, zoomed, beside another one, in other light, some of its text not found."""
    stone = stones[rng.integers(len(stones))]
    if rng.random() < 0.12:
        stone = _beside(stone, stones[rng.integers(len(stones))], left=rng.random() < 0.5)
    if rng.random() < 0.5:
        stone = _on_plinth(stone, rng)
    stone = _moved(stone, rng)
    return plain_example(Stone(_lit(stone.picture, rng), stone.face, np.stack(_detected(stone, rng))))


def _beside(stone: Stone, other: Stone, *, left: bool) -> Stone:
    """The stone with another one, whose text is not marked, to its left or right."""
    height, width = stone.picture.shape[:2]
    neighbour = cv2.resize(other.picture, (round(other.picture.shape[1] * height / other.picture.shape[0]), height))
    neighbour = neighbour[:, :width]
    pair = np.hstack([neighbour, stone.picture] if left else [stone.picture, neighbour])
    move = np.array([neighbour.shape[1] if left else 0, 0])
    return Stone(np.asarray(pair, np.uint8), stone.face + move, stone.lines + move)


def _on_plinth(stone: Stone, rng: np.random.Generator) -> Stone:
    """The stone on a block, often of its own colour, seen from above: where the face ends, only the light changes."""
    corners = stone.face[np.argsort(stone.face[:, 1])]
    left, right = corners[2:][np.argsort(corners[2:, 0])]
    height = float(corners[2:, 1].mean() - corners[:2, 1].mean())
    along, down = right - left, np.array([0.0, height])
    wider = rng.uniform(0.0, 0.3, 2)
    back = [left - wider[0] * along, right + wider[1] * along]
    front = [back[0] - rng.uniform(0, 0.06) * along, back[1] + rng.uniform(0, 0.06) * along]
    depth, thickness = rng.uniform(0.0, 0.12), rng.uniform(0.04, 0.3)
    edge = [point + depth * down for point in front]
    foot = [point + thickness * down for point in edge]
    behind = [point - rng.uniform(0, 0.5) * depth * down for point in back]
    face = np.zeros(stone.picture.shape[:2], np.uint8)
    cv2.fillConvexPoly(face, np.round(stone.face).astype(np.int32), 1)
    own = np.median(stone.picture[face > 0], axis=0)
    colour = own * rng.uniform(0.85, 1.15) if rng.random() < 0.6 else rng.uniform(20, 235) + rng.normal(0, 25, 3)
    picture = stone.picture.astype(np.float32)
    grain = cv2.resize(rng.normal(0, 1, (24, 32)), picture.shape[1::-1]) * rng.uniform(0, 8)
    grain += rng.normal(0, rng.uniform(0, 8), picture.shape[:2])
    top, side = [*behind, *edge[::-1]], [*edge, *foot[::-1]]
    for surface, light in ((top, rng.uniform(0.9, 1.3)), (side, rng.uniform(0.55, 1.0))):
        mask = np.zeros(picture.shape[:2], np.float32)
        cv2.fillPoly(mask, [np.round(np.array(surface) * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
        mask[face > 0] = 0.0
        picture += mask[..., None] * (colour * light + grain[..., None] - picture)
    return Stone(np.asarray(np.clip(picture, 0, 255), np.uint8), stone.face, stone.lines)


def _moved(stone: Stone, rng: np.random.Generator) -> Stone:
    """The stone in a frame of its own shape, turned, zoomed and shifted; now and then so near that it fills the frame.

    What comes into the frame from outside repeats the edge of the picture.
    """
    height, width = stone.picture.shape[:2]
    near = rng.random() < 0.1
    zoom = np.exp(rng.uniform(0.3, 1.1)) if near else np.exp(rng.uniform(-0.45, 0.3))
    angle = np.radians(rng.normal(0, 4))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = zoom * turn @ np.diag(np.exp(rng.normal(0, 0.06, 2))) @ np.diag([rng.choice([-1, 1]), 1])
    size = np.array([width, height])
    about = stone.lines.reshape(-1, 2).mean(axis=0) if near else size / 2
    shift = size / 2 + rng.uniform(-0.12, 0.12, 2) * size * (0.3 if near else 1.0) - matrix @ about
    affine = np.column_stack([matrix, shift])
    by_centres = np.column_stack([matrix, shift + matrix @ [0.5, 0.5] - 0.5])  # OpenCV counts from pixel centres
    moved = cv2.warpAffine(stone.picture, by_centres, (width, height), borderMode=cv2.BORDER_REPLICATE)
    face, lines = (map_points(points.reshape(-1, 2), affine) for points in (stone.face, stone.lines))
    return Stone(np.asarray(moved, np.uint8), face, lines.reshape(-1, 4, 2))


def _lit(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture in other light and by another camera."""
    seen = picture.astype(np.float32) / 255.0
    seen = np.clip(seen * rng.uniform(0.75, 1.25, 3) * rng.uniform(0.7, 1.3) + rng.normal(0, 0.05, 3), 0, 1)
    seen = seen ** np.exp(rng.normal(0, 0.3))
    if rng.random() < 0.4:  # shadows as of trees
        patches = rng.uniform(0.5, 1.2, rng.integers(2, 6, 2))
        seen *= cv2.resize(patches, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)[..., None]
    if rng.random() < 0.3:
        seen = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.5, 2.0))
    if rng.random() < 0.3:
        seen = seen + rng.normal(0, rng.uniform(0, 0.05), seen.shape)
    if rng.random() < 0.15:
        seen = np.repeat(seen.mean(axis=2, keepdims=True), 3, axis=2)
    return np.asarray(np.clip(seen, 0, 1) * 255, np.uint8)


def _detected(stone: Stone, rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """The stone's lines as a detector gives them: some missing, corners inexact, now and then one that is none."""
    found = [line for line in stone.lines if rng.random() > 0.12] or [stone.lines[0]]
    heights = [float(np.linalg.norm(line[3] - line[0])) for line in found]
    quads = [line + rng.normal(0, 0.08, (4, 2)) * height for line, height in zip(found, heights, strict=True)]
    if rng.random() < 0.15:
        height, width = stone.picture.shape[:2]
        box = cv2.boxPoints(
            (
                (rng.uniform(0, width), rng.uniform(0, height)),
                (rng.uniform(0.05, 0.4) * width, rng.uniform(0.02, 0.06) * VIEW_PX),
                rng.normal(0, 15),
            )
        )
        quads.append(box.astype(np.float64))
    return quads
