from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SHOW = "from ocr_service.settings import load_settings; print(load_settings().database_url)"


def shown(folder: Path, **environment: str) -> str:
    """What a new process takes for its database: the folder of secrets is looked for once."""
    given = os.environ | {"HEADSTONE_SECRETS_DIR": str(folder)} | environment
    return subprocess.run([sys.executable, "-c", SHOW], env=given, capture_output=True, text=True, check=True).stdout


def test_a_secret_comes_from_a_file_and_a_variable_wins_over_it(tmp_path: Path) -> None:
    (tmp_path / "headstone_database_url").write_text("postgresql+psycopg://from@file/x\n")
    assert shown(tmp_path) == "postgresql+psycopg://from@file/x\n"
    assert shown(tmp_path, HEADSTONE_DATABASE_URL="sqlite:///x") == "sqlite:///x\n"


def test_without_such_a_folder_nothing_is_missed(tmp_path: Path) -> None:
    assert shown(tmp_path / "nowhere") == "None\n"
