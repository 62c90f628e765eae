"""Fine-tune a stock recogniser on rendered headstone lines: ``python -m models.training.train --config cpu --out RUN``.

Run the same command again to go on where a run stood; SIGTERM stops and saves it, and it ends when its time is used up.
The run's folder holds the checkpoint, ``course.csv``, ``curves.png``, events for TensorBoard and, at the end,
``averaged.pt``: the averaged weights that ``export.py`` takes. On a CPU, set ``OMP_WAIT_POLICY=PASSIVE`` and preload
tcmalloc: threads that spin and glibc's allocator halve the speed.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
import time
from copy import deepcopy
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from torch.utils.tensorboard import SummaryWriter

from models.training import schedule
from models.training.alphabet import CLASSES
from models.training.batches import Batch, RenderedBatches, load_batches, to_pixels
from models.training.checkpoints import load_checkpoint, save_checkpoint
from models.training.config import RECIPES, TrainConfig
from models.training.course import Moment, record
from models.training.lines import held_out_lines, training_lines
from models.training.network import Recogniser
from models.training.scoring import score
from models.training.weights import fill, shipped_stock_weights

AVERAGED = "averaged.pt"
log = logging.getLogger("train")


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", choices=RECIPES, default="quick", help="the recipe (models/training/config.py)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; an existing run is resumed")
    parser.add_argument("--budget-s", type=float, help="length of the whole run in seconds, instead of the recipe's")
    parser.add_argument(
        "--verified", type=Path, help="label file of crops that people have verified, to learn from as well"
    )
    parser.add_argument(
        "--plain", action="store_true", help="learn from clean letters on clean stone alone, for comparison"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    config = RECIPES[arguments.config]
    if arguments.budget_s:
        config = replace(config, budget_s=arguments.budget_s)
    arguments.out.mkdir(parents=True, exist_ok=True)
    train(config, arguments.out, arguments.verified, plain=arguments.plain)


def train(config: TrainConfig, folder: Path, verified: Path | None = None, *, plain: bool = False) -> None:
    """Train until the budget is used up, saving and validating on the way."""
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    device = torch.device(config.device)
    network = stock_network(config, device)
    optimizer = torch.optim.AdamW(
        parameter_groups(network, config), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    saved = load_checkpoint(folder)
    if saved is not None:
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
    averaged = deepcopy(network).eval()
    step = lines = sessions = 0
    elapsed_before_s = 0.0
    if saved is not None:
        averaged.load_state_dict(saved["averaged"])
        step, lines, sessions, elapsed_before_s = saved["step"], saved["lines"], saved["sessions"], saved["elapsed_s"]

    board = SummaryWriter(folder, purge_step=step)
    held_out = held_out_lines(config.validation_lines)
    open_source = partial(training_lines, verified=verified, verified_share=config.verified_share, plain=plain)
    source = RenderedBatches(open_source, config.seed + sessions, config.batch_columns_px, config.max_width_px)
    batches = load_batches(source, config.render_workers)
    start = last_save = last_validation = time.monotonic()
    lines_at_validation, losses = lines, list[float]()

    def state() -> dict[str, Any]:
        return {
            "config": asdict(config), "network": network.state_dict(), "averaged": averaged.state_dict(),
            "optimizer": optimizer.state_dict(), "step": step, "lines": lines, "sessions": sessions + 1,
            "elapsed_s": elapsed_before_s + time.monotonic() - start,
        }  # fmt: skip

    def validate(rate: float) -> None:
        nonlocal last_validation, lines_at_validation
        now = time.monotonic()
        speed = (lines - lines_at_validation) / max(now - last_validation, 1e-6)
        errors = score(averaged, held_out, device)
        loss = sum(losses) / len(losses) if losses else 0.0
        elapsed_s = elapsed_before_s + now - start
        record(
            folder, Moment(elapsed_s, step, lines, speed, loss, rate, errors.cer, errors.bare_cer, errors.exact_share)
        )
        log.info(
            "%5.0f s  step %d  %d lines  %.1f lines/s  loss %.3f  CER %.2f %%  bare %.2f %%  exact %.1f %%",
            elapsed_s, step, lines, speed, loss, 100 * errors.cer, 100 * errors.bare_cer, 100 * errors.exact_share,
        )  # fmt: skip
        for name in ("cer", "bare_cer", "exact_share"):
            board.add_scalar(f"held_out/{name}", getattr(errors, name), step)
        losses.clear()
        last_validation, lines_at_validation = time.monotonic(), lines

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    validate(rate=0.0)
    while not stop.is_set() and (progress := (elapsed_before_s + time.monotonic() - start) / config.budget_s) < 1.0:
        share = schedule.rate_share(progress, config.warmup)
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * share * group["depth_share"]
        batch = next(batches)
        loss = training_loss(network, batch, device, config.bf16)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip_norm)
        optimizer.step()
        step, lines = step + 1, lines + len(batch.widths_px)
        losses.append(loss.item())
        board.add_scalar("train/loss", losses[-1], step)
        board.add_scalar("train/rate", config.learning_rate * share, step)
        average(averaged, network, schedule.averaging_decay(step, config.averaging))
        now = time.monotonic()
        if now - last_validation > config.validate_every_s:
            validate(config.learning_rate * share)
        if now - last_save > config.checkpoint_every_s:
            save_checkpoint(folder, state())
            last_save = time.monotonic()
    save_checkpoint(folder, state())
    if not stop.is_set():
        validate(rate=0.0)
        torch.save(
            {"size": config.size, "classes": CLASSES, "network": averaged.state_dict(), "lines": lines},
            folder / AVERAGED,
        )
    board.close()


def stock_network(config: TrainConfig, device: torch.device) -> Recogniser:
    """The network as it starts: stock weights, with rows of new letters that start from their donors."""
    network = Recogniser(config.size, len(CLASSES))
    fill(network, shipped_stock_weights(config.size))
    network.to(device, memory_format=torch.channels_last)
    return network


def training_loss(network: Recogniser, batch: Batch, device: torch.device, bf16: bool) -> torch.Tensor:
    """CTC loss a character of a batch; lines count by their length, so short ones do not outweigh long ones."""
    pixels = to_pixels(batch, device)
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        logits = network(pixels)
    log_probabilities = logits.float().log_softmax(-1).transpose(0, 1)
    frames = torch.full((len(batch.widths_px),), log_probabilities.shape[0])
    loss = functional.ctc_loss(
        log_probabilities, batch.labels.to(device), frames, batch.label_counts, reduction="sum", zero_infinity=True
    )
    return loss / batch.label_counts.sum().clamp(min=1)


def parameter_groups(network: Recogniser, config: TrainConfig) -> list[dict[str, Any]]:
    """Parameters by depth, each group with its share of the learning rate; biases and norms are not decayed."""
    parts = [network.backbone.convolution, *network.backbone.blocks, torch.nn.ModuleList([network.neck, network.head])]
    groups = []
    for depth, part in enumerate(reversed(parts)):
        share = schedule.depth_share(depth, config.backbone_decay)
        matrices = [parameter for parameter in part.parameters() if parameter.ndim > 1]
        vectors = [parameter for parameter in part.parameters() if parameter.ndim <= 1]
        groups.append({"params": matrices, "depth_share": share})
        groups.append({"params": vectors, "depth_share": share, "weight_decay": 0.0})
    return groups


def average(averaged: Recogniser, network: Recogniser, decay: float) -> None:
    """Move the averaged weights towards the present ones, in place."""
    with torch.no_grad():
        torch._foreach_lerp_(list(averaged.parameters()), list(network.parameters()), 1.0 - decay)


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    main()
