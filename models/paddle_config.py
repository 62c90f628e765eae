"""Settings out of an ``inference.yml``, PaddleOCR's description of an exported model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from models.errors import BundleError


def detector_options(path: Path) -> dict[str, Any]:
    """Return thresholds, growth and normalisation of a detector, as far as the file states them."""
    config = _load(path)
    post, normalise = config.get("PostProcess") or {}, _operation(config, "NormalizeImage")
    options = {"binary_threshold": "thresh", "box_threshold": "box_thresh", "unclip_ratio": "unclip_ratio"}
    found: dict[str, Any] = {ours: float(post[theirs]) for ours, theirs in options.items() if theirs in post}
    for key in ("mean", "std"):
        if key in normalise:
            found[key] = tuple(float(value) for value in normalise[key])
    return found


def recogniser_options(path: Path) -> dict[str, Any]:
    """Return height and least width of a recogniser's input, as far as the file states them."""
    shape = _operation(_load(path), "RecResizeImg").get("image_shape")
    return {} if shape is None else {"height_px": int(shape[1]), "min_width_px": int(shape[2])}


def _load(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BundleError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise BundleError(f"{path} is no model description; rebuild the bundle.")
    return content


def _operation(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    operations = (config.get("PreProcess") or {}).get("transform_ops") or ()
    return next((operation[name] or {} for operation in operations if name in operation), {})
