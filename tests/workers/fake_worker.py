"""A worker that takes messages, with the fake reader in it; settings come from the environment."""

from __future__ import annotations

import sys

import fake_reader  # so that the spawned processes find `load` by a module's name

from ocr_service.operations.logs import log_to_stderr
from ocr_service.settings import load_settings
from ocr_service.states import Priority
from workers.__main__ import run

if __name__ == "__main__":
    log_to_stderr()
    sys.exit(run(load_settings(), [Priority[name] for name in sys.argv[1:]], fake_reader.load))
