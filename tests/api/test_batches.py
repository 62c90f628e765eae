from __future__ import annotations

import hashlib
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient


def jpeg(seed: int = 0, width: int = 320, height: int = 200) -> bytes:
    image = np.random.default_rng(seed).integers(0, 255, (height // 20, width // 20, 3), dtype=np.uint8)
    enlarged = cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST)
    done, data = cv2.imencode(".jpg", enlarged, [cv2.IMWRITE_JPEG_QUALITY, 30])
    assert done
    return data.tobytes()


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def announced(path: str, data: bytes, **more: Any) -> dict[str, Any]:
    return {"path": path, "sha256": sha256_of(data), "size_bytes": len(data), **more}


@pytest.fixture
def batch(client: TestClient) -> str:
    """The path of a new batch."""
    opened = client.post("/api/v1/batches", json={"label": "khu A", "cemetery": "NTLS Tân Phú"})
    assert opened.status_code == 201
    return f"/api/v1/batches/{opened.json()['id']}"


def announce(client: TestClient, batch: str, *files: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.post(f"{batch}/files", json={"files": files})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["files"]
    return found


def counts(client: TestClient, batch: str) -> dict[str, int]:
    return {state: files for state, files in client.get(batch).json()["counts"].items() if files}


def test_a_file_is_announced_sent_and_becomes_a_photo(client: TestClient, batch: str) -> None:
    data = jpeg()
    (file,) = announce(client, batch, announced("khu A/1.jpg", data, plot="A-17"))
    assert (file["path"], file["state"], file["photo_id"]) == ("khu A/1.jpg", "announced", None)
    assert counts(client, batch) == {"announced": 1}
    upload = file["upload"]
    sent = client.request(upload["method"], upload["url"], content=data, headers=upload["headers"])
    assert sent.status_code == 200, sent.text
    assert (sent.json()["state"], sent.json()["photo_id"], sent.json()["upload"]) == ("received", 1, None)
    assert counts(client, batch) == {"received": 1}
    photo = client.get("/api/v1/photos/1").json()
    assert (photo["filename"], photo["context"]["cemetery"], photo["context"]["plot"]) == (
        "1.jpg",
        "NTLS Tân Phú",
        "A-17",
    )
