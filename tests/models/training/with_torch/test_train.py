from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from models.training import train as training
from models.training.batches import to_batch
from models.training.checkpoints import load_checkpoint, save_checkpoint
from models.training.config import RECIPES
from models.training.course import read_course
from models.training.lines import Line


def written_lines(
    seed: int, verified: Path | None = None, verified_share: float = 0.0, plain: bool = False
) -> Iterator[Line]:
    dice = np.random.default_rng(seed)
    while True:
        text = "".join(str(digit) for digit in dice.integers(0, 10, 4))
        image = np.full((48, 110, 3), 255, np.uint8)
        cv2.putText(image, text, (6, 36), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (0, 0, 0), 2, cv2.LINE_AA)
        yield image, text


@pytest.fixture
def short_run(monkeypatch: pytest.MonkeyPatch) -> None:
    source = written_lines(99)
    monkeypatch.setattr(training, "training_lines", written_lines)
    monkeypatch.setattr(training, "held_out_lines", lambda count: [next(source) for _ in range(count)])


def test_a_run_ends_with_its_budget_and_goes_on_from_its_checkpoint(short_run: None, tmp_path: Path) -> None:
    config = replace(RECIPES["quick"], budget_s=2.0, render_workers=0, validation_lines=4)
    training.train(config, tmp_path)
    first = load_checkpoint(tmp_path)
    training.train(replace(config, budget_s=4.0), tmp_path)
    second = load_checkpoint(tmp_path)
    assert first is not None
    assert second is not None
    assert second["step"] > first["step"] > 0
    assert first["elapsed_s"] >= 2.0
    assert second["elapsed_s"] >= 4.0
    assert [moment.step for moment in read_course(tmp_path)][-1] == second["step"]
    assert (tmp_path / training.AVERAGED).is_file()


def test_tensorboard_shows_what_the_table_of_the_run_holds(short_run: None, tmp_path: Path) -> None:
    training.train(replace(RECIPES["quick"], budget_s=1.0, render_workers=0, validation_lines=4), tmp_path)
    board, course = EventAccumulator(str(tmp_path)).Reload(), read_course(tmp_path)
    shown = {event.step: event.value for event in board.Scalars("held_out/cer")}
    assert shown == pytest.approx({moment.step: moment.cer for moment in course})
    assert len(board.Scalars("train/loss")) == course[-1].step


def test_crops_without_letters_alone_give_a_loss_that_falls_with_the_chance_of_silence() -> None:
    network = training.stock_network(RECIPES["quick"], torch.device("cpu"))
    batch = to_batch([(np.full((48, 96, 3), 90, np.uint8), "")])
    before = training.training_loss(network, batch, torch.device("cpu"), bf16=False).item()
    with torch.no_grad():
        network.head.bias[0] += 5.0
    assert 0.0 <= training.training_loss(network, batch, torch.device("cpu"), bf16=False).item() < before


def test_an_interrupted_save_leaves_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path, {"step": 1})

    def torn(state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", torn)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(tmp_path, {"step": 2})
    assert load_checkpoint(tmp_path) == {"step": 1}


def test_one_step_on_a_batch_lowers_its_loss() -> None:
    torch.manual_seed(0)
    config = RECIPES["quick"]
    network = training.stock_network(config, torch.device("cpu"))
    source = written_lines(1)
    batch = to_batch([next(source) for _ in range(8)])
    optimizer = torch.optim.AdamW(training.parameter_groups(network, config), lr=1e-4)
    before = training.training_loss(network, batch, torch.device("cpu"), bf16=False)
    before.backward()
    optimizer.step()
    after = training.training_loss(network, batch, torch.device("cpu"), bf16=False)
    assert after.item() < before.item()
