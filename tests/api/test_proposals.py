from __future__ import annotations

import json

import cv2
import numpy as np
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ocr_service import intake
from ocr_service.records import Field, Line, Reading, ReadingStatus

QUAD = ((0.0, 0.0), (9.0, 0.0), (9.0, 3.0), (0.0, 3.0))


def store(app: FastAPI, **fields: Field) -> int:
    picture = np.full((60, 200, 3), 90, np.uint8)
    with app.state.database.writing() as session:
        data = cv2.imencode(".png", picture)[1].tobytes()
        photo = intake.receive(session, app.state.store, data, filename="a.png", received_by="thu")
        name = {"name": Field("Nguyên Văn Mẫu", "NGUYÊN VĂN MẪU", 0.6, (0,)), "kind": Field("named", None, 0.8, (0,))}
        reading = Reading(
            "a.png",
            photo.sha256 or "",
            ReadingStatus.READ,
            size_px=(200, 60),
            lines=(Line("NGUYÊN VĂN MẪU", 0.8, QUAD),),
            record=name | fields,
            bundle="invented@1",
        )
        draft_id = intake.store_reading(session, reading)
    assert draft_id is not None
    return draft_id


def others(client: TestClient, draft_id: int) -> list[str]:
    page = client.get(f"/verify/{draft_id}").text
    data = json.loads(page.split('id="verify-data">')[1].split("</script>")[0])
    found: list[str] = data["draft"]["fields"]["name"]["others"]
    return found


def test_what_a_misread_name_may_have_been_is_proposed_in_the_letters_of_the_stone(
    app: FastAPI, client: TestClient
) -> None:
    suggested = Field("Nguyễn Văn Mẫu", "NGUYÊN VĂN MẪU", 0.5, (0,))
    assert others(client, store(app, name_suggested=suggested)) == ["NGUYỄN VĂN MẪU"]


def test_nothing_is_proposed_beside_a_name_that_needs_none(app: FastAPI, client: TestClient) -> None:
    assert others(client, store(app)) == []
