from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from ocr_service.cli import app

TEXT = "LIỆT SĨ / TRẦN VĂN TÁM / Đơn vị: KB / HS: 12-5-1968"


def test_parse_decodes_unit_codes_by_the_table_given(tmp_path: Path) -> None:
    table = tmp_path / "decodes.csv"
    table.write_text("code,from,to,place,meaning,source\nKB,1965,1970,,Unit one,letter 1\n", "utf-8")
    done = CliRunner().invoke(app, ["parse", TEXT, "--decodes", str(table), "-o", "json"])
    assert json.loads(done.output)["unit"]["decode"] == [{"code": "KB", "meaning": "Unit one", "source": "letter 1"}]
    assert json.loads(CliRunner().invoke(app, ["parse", TEXT, "-o", "json"]).output)["unit"]["decode"] is None
