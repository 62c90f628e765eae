"""Readings as JSON objects: the contract of ``headstone read``, stable for every consumer.

Quads run clockwise from the top left corner, in pixels of the upright photo.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from ocr_service.records import Alternative, Field, Line, PhotoType, Quad, Reading, ReadingStatus, RejectReason


def quad_to_json(quad: Quad) -> list[list[float]]:
    """Four corners as the contract writes them."""
    return [[round(x, 1), round(y, 1)] for x, y in quad]


def _quad_from_json(points: Iterable[Iterable[float]]) -> Quad:
    return cast(Quad, tuple(tuple(float(c) for c in point) for point in points))


def field_to_json(field: Field) -> dict[str, Any]:
    """One field as the contract writes it."""
    return {
        "value": field.value,
        "raw": field.raw,
        "confidence": round(field.confidence, 4),
        "lines": list(field.lines),
        "flags": list(field.flags),
    }


def field_from_json(data: Mapping[str, Any]) -> Field:
    """The inverse of :func:`field_to_json`."""
    return Field(data["value"], data["raw"], float(data["confidence"]), tuple(data["lines"]), tuple(data["flags"]))


def _line_to_json(line: Line) -> dict[str, Any]:
    return {
        "text": line.text,
        "confidence": round(line.confidence, 4),
        "quad": quad_to_json(line.quad),
        "stone": line.stone,
        "alternatives": [{"text": a.text, "score": round(a.score, 4)} for a in line.alternatives],
        "char_confidences": [round(confidence, 3) for confidence in line.char_confidences],
    }


def _line_from_json(data: Mapping[str, Any]) -> Line:
    alternatives = tuple(Alternative(a["text"], float(a["score"])) for a in data.get("alternatives", ()))
    return Line(
        data["text"],
        float(data["confidence"]),
        _quad_from_json(data["quad"]),
        data["stone"],
        alternatives,
        tuple(data.get("char_confidences", ())),
    )


def reading_to_json(reading: Reading) -> dict[str, Any]:
    """The contract's object for one photo; keys never vanish, absent values are null or empty."""
    return {
        "photo": reading.photo,
        "sha256": reading.sha256 or None,
        "status": str(reading.status),
        "reason": str(reading.reason) if reading.reason else None,
        "detail": reading.detail,
        "photo_type": str(reading.photo_type) if reading.photo_type else None,
        "size_px": list(reading.size_px) if reading.size_px else None,
        "stone_quads": [quad_to_json(quad) for quad in reading.stone_quads],
        "lines": [_line_to_json(line) for line in reading.lines],
        "record": {name: field_to_json(field) for name, field in reading.record.items()},
        "quality": list(reading.quality),
        "fingerprint": None if reading.fingerprint is None else f"{reading.fingerprint:016x}",
        "timings_ms": {step: round(ms, 1) for step, ms in reading.timings_ms.items()},
        "bundle": reading.bundle,
        "engine": reading.engine or None,
    }


def reading_from_json(data: Mapping[str, Any]) -> Reading:
    """The inverse of :func:`reading_to_json`. Raises KeyError, TypeError or ValueError on anything else."""
    return Reading(
        photo=data["photo"],
        sha256=data["sha256"] or "",
        status=ReadingStatus(data["status"]),
        reason=RejectReason(data["reason"]) if data["reason"] else None,
        detail=data.get("detail"),
        photo_type=PhotoType(data["photo_type"]) if data["photo_type"] else None,
        size_px=tuple(data["size_px"]) if data["size_px"] else None,
        stone_quads=tuple(_quad_from_json(quad) for quad in data["stone_quads"]),
        lines=tuple(_line_from_json(line) for line in data["lines"]),
        record={name: field_from_json(field) for name, field in data["record"].items()},
        quality=tuple(data.get("quality", ())),
        fingerprint=None if data.get("fingerprint") is None else int(data["fingerprint"], 16),
        timings_ms=dict(data["timings_ms"]),
        bundle=data["bundle"],
        engine=data.get("engine") or "",
    )


def reading_to_line(reading: Reading) -> str:
    """The contract's object as one line of JSON, without the line end."""
    return json.dumps(reading_to_json(reading), ensure_ascii=False, separators=(",", ":"))
