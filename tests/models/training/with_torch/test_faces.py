from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from models.training.faces import views
from models.training.faces.__main__ import export_onnx, loss_of, train
from models.training.faces.network import FaceNetwork
from preprocess.stone import PLANES, VIEW_PX


def test_the_loss_is_least_where_the_face_is_marked_and_nothing_else() -> None:
    face = torch.zeros(1, 32, 32)
    face[:, 8:24, 8:24] = 1.0
    whole = torch.ones(1, 32, 32)
    right, wrong = loss_of(20.0 * face - 10.0, face, whole), loss_of(10.0 - 20.0 * face, face, whole)
    assert right.item() < 0.01 < 1.0 < wrong.item()


def test_what_lies_outside_of_the_picture_does_not_count() -> None:
    face, picture = torch.zeros(1, 32, 32), torch.zeros(1, 32, 32)
    face[:, 8:24, 8:24] = picture[:, 4:28, 4:28] = 1.0
    logits = 20.0 * face - 10.0
    elsewhere = torch.where(picture > 0, logits, 10.0)
    assert loss_of(elsewhere, face, picture).item() == pytest.approx(loss_of(logits, face, picture).item())


def test_a_short_run_gives_a_graph_that_marks_pixels_of_a_view(tmp_path: Path) -> None:
    views.render(tmp_path, 1)
    export_onnx(train(tmp_path, budget_s=0.1), tmp_path / "faces.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "faces.onnx"), providers=["CPUExecutionProvider"])
    (chances,) = session.run(None, {"view": np.zeros((1, PLANES, VIEW_PX, VIEW_PX), np.float32)})
    assert chances.shape == (1, VIEW_PX, VIEW_PX)
    assert (chances >= 0).all() and (chances <= 1).all()


def test_the_network_takes_back_what_it_halves() -> None:
    assert FaceNetwork().eval()(torch.zeros(2, PLANES, VIEW_PX, VIEW_PX)).shape == (2, VIEW_PX, VIEW_PX)
