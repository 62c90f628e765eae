"""ONNX Runtime sessions as this service runs them: CPU, one thread, quiet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime

from models.errors import BundleError


def open_session(model: Path, threads: int = 1) -> Any:
    """Open ``model`` on the CPU with ``threads`` threads inside an operator; raises BundleError.

    One thread is the default because one process a core reads more photos an hour than one process on all cores.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a family of errors of its own with no public root
        reason = str(error).splitlines()[0]
        raise BundleError(f"Model {model} cannot be opened: {reason}; install the project again.") from error
