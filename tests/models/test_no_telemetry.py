from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LOAD = """
from ocr_service.reading import load_reader
load_reader("headstone-vi-fast")
"""


def test_a_reader_keeps_no_account_of_itself_for_the_maker_of_its_runtime(tmp_path: Path) -> None:
    # ONNX Runtime that reports home makes an identity and a store of events below the home folder first
    keep = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", LOAD], env=keep | home, check=True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
