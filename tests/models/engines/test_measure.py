import re

from models.engines.measure import main


def test_the_default_engine_is_measured_against_itself(capsys):
    main(["--lines", "9", "--engines", "onnxruntime", "--readers", "2"])
    first, _, other = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\S+@\S+, 9 lines, 2 readers", first)
    assert re.fullmatch(r"onnxruntime +cpu \d+\.\d\d +\d+\.\d lines/s +same text 1\.000 +on cpu", other)
