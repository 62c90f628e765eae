"""Train the network for faces: ``python -m models.training.faces STONES --out WEIGHTS.onnx``.

Draws stones into STONES first, as many as are missing there. The length of a run is given in time.
"""

from __future__ import annotations

import argparse
import logging
import math
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn
from torch.nn import functional

from models.training.faces.network import FaceNetwork
from models.training.faces.views import load_stones, render, varied_example
from preprocess.stone import PLANES, VIEW_PX

OPSET = 17
BATCH = 16
LEARNING_RATE = 2e-3
WARM_UP_STEPS = 50
AGREEMENT = 1e-3
"""Largest difference of a chance between network and graph; rounding gives some 1e-6."""
log = logging.getLogger("faces")


class Serving(nn.Module):  # type: ignore[misc]  # torch is optional
    """The network as it is run: chances instead of logits."""

    def __init__(self, network: FaceNetwork):
        super().__init__()
        self.network = network

    def forward(self, view: torch.Tensor) -> torch.Tensor:
        """Chances (n, side, side)."""
        return torch.sigmoid(self.network(view))


def main() -> None:
    """Parse the command line, draw, train and write the weights."""
    parser = argparse.ArgumentParser(prog="python -m models.training.faces", description=__doc__)
    parser.add_argument("stones", type=Path, help="folder of rendered stones")
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--count", type=int, default=2600, help="of stones")
    parser.add_argument("--budget-s", type=float, default=3000.0, help="of training, without drawing")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(arguments.threads)
    render(arguments.stones, arguments.count)
    export_onnx(train(arguments.stones, arguments.budget_s), arguments.out)


def train(folder: Path, budget_s: float, seed: int = 0) -> FaceNetwork:
    """Train on all stones of a folder; the learning rate falls with the time that is used up (cosine)."""
    torch.manual_seed(seed)
    stones, rng = load_stones(folder), np.random.default_rng(seed)
    network: FaceNetwork = FaceNetwork().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=1e-3)
    start, step, losses = time.monotonic(), 0, list[float]()
    while (used := (time.monotonic() - start) / budget_s) < 1.0:
        rate = LEARNING_RATE * min(1.0, (step + 1) / WARM_UP_STEPS) * (0.01 + 0.5 * (1.0 + math.cos(math.pi * used)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        examples = [varied_example(stones, rng) for _ in range(BATCH)]
        planes = torch.from_numpy(np.stack([example.planes for example in examples]))
        faces = torch.from_numpy(np.stack([example.face for example in examples]))
        loss = loss_of(network(planes.contiguous(memory_format=torch.channels_last)), faces, planes[:, 4])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        losses.append(loss.item())
        if step % 100 == 0:
            log.info("step %d, loss %.4f, %.0f %% of the time", step, np.mean(losses[-100:]), 100 * used)
    network.eval()
    return network


def loss_of(logits: torch.Tensor, faces: torch.Tensor, pictures: torch.Tensor) -> torch.Tensor:
    """Cross-entropy within the pictures, and one minus the soft overlap by union (Rahman and Wang 2016)."""
    entropy = functional.binary_cross_entropy_with_logits(logits, faces, reduction="none")
    chances = torch.sigmoid(logits) * pictures
    both = (chances * faces).sum((1, 2))
    either = (chances + faces - chances * faces).sum((1, 2))
    return (entropy * pictures).sum() / pictures.sum() + (1.0 - (both + 1.0) / (either + 1.0)).mean()


def export_onnx(network: FaceNetwork, path: Path) -> None:
    """Write the graph, and check it against the network; raises RuntimeError where they differ."""
    path.parent.mkdir(parents=True, exist_ok=True)
    serving = Serving(network.to(memory_format=torch.contiguous_format)).eval()
    view = torch.rand(1, PLANES, VIEW_PX, VIEW_PX)
    torch.onnx.export(
        serving, (view,), str(path), input_names=["view"], output_names=["chances"], opset_version=OPSET, dynamo=False
    )
    with torch.no_grad():
        expected = serving(view).numpy()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    difference = float(np.abs(session.run(None, {"view": view.numpy()})[0] - expected).max())
    if difference > AGREEMENT:
        raise RuntimeError(f"the exported graph differs from the network by {difference:.2g}; do not ship it")


if __name__ == "__main__":
    main()
