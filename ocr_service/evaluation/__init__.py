"""Photos with known truth against what readers make of them: everything behind ``headstone evaluate``."""

from __future__ import annotations

from ocr_service.evaluation.facts import FieldScore
from ocr_service.evaluation.peers import PEERS, USUAL_PEERS, PhotoReader, SeenLine, SeenPhoto
from ocr_service.evaluation.report import tables, to_json
from ocr_service.evaluation.run import EngineScore, PhotoScore, evaluate, measure
from ocr_service.evaluation.truth import TruePhoto, load_truth

__all__ = [
    "PEERS",
    "USUAL_PEERS",
    "EngineScore",
    "FieldScore",
    "PhotoReader",
    "PhotoScore",
    "SeenLine",
    "SeenPhoto",
    "TruePhoto",
    "evaluate",
    "load_truth",
    "measure",
    "tables",
    "to_json",
]
