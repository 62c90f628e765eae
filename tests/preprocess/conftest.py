"""Drawn pictures with known geometry: a stone with text, alone or in a scene in perspective."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

TEXT = ("LIET SI", "NGUYEN VAN HUNG", "SINH NAM 1945", "QUE QUAN HA TINH", "HY SINH 30-4-1968")


def draw_face(width: int = 600, height: int = 800, *, dark: bool = False) -> tuple[np.ndarray, list[np.ndarray]]:
    """A stone face (BGR) with centred lines, and the quads of the lines on it."""
    ground, ink = ((35, 30, 30), (210, 225, 230)) if dark else ((205, 205, 210), (40, 40, 50))
    face = np.full((height, width, 3), ground, dtype=np.uint8)
    cv2.rectangle(face, (18, 18), (width - 18, height - 18), ink, 2)
    quads = []
    for row, text in enumerate(TEXT):
        (w, h), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 1.3, 3)
        x, y = (width - w) // 2, 160 + row * 110
        cv2.putText(face, text, (x, y), cv2.FONT_HERSHEY_DUPLEX, 1.3, ink, 3, cv2.LINE_AA)
        quads.append(np.array([[x, y - h], [x + w, y - h], [x + w, y + 6], [x, y + 6]], dtype=np.float32))
    return face, quads


def place(face: np.ndarray, corners: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A picture of ``size`` (width, height) with the face at ``corners`` before a noisy field; and face → picture."""
    height, width = face.shape[:2]
    to_picture = cv2.getPerspectiveTransform(
        np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32), corners.astype(np.float32)
    )
    noise = np.random.default_rng(7).normal(0, 8, (size[1], size[0], 3))
    field = np.clip(np.array([70, 130, 95]) + noise, 0, 255).astype(np.uint8)
    mask = cv2.warpPerspective(np.full((height, width), 255, np.uint8), to_picture, size)
    warped = cv2.warpPerspective(face, to_picture, size, borderMode=cv2.BORDER_REPLICATE)
    field[mask > 127] = warped[mask > 127]
    return field, to_picture


@pytest.fixture(params=[False, True], ids=["light", "dark"])
def scene(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """A picture of an oblique stone, the corners of its face, and the quads of its lines."""
    face, lines = draw_face(dark=request.param)
    corners = np.array([[330, 150], [790, 210], [770, 930], [300, 880]], dtype=np.float32)
    picture, to_picture = place(face, corners, (1100, 1050))
    quads = cv2.perspectiveTransform(np.concatenate(lines)[None], to_picture)[0].reshape(-1, 4, 2)
    return picture, corners, list(quads.astype(np.float32))


@pytest.fixture
def face() -> tuple[np.ndarray, list[np.ndarray]]:
    """A light stone face that fills its picture, and the quads of its lines."""
    return draw_face()
