from __future__ import annotations

import hashlib
import sqlite3

from bench import intake
from preprocess.exif import read_exif


def test_photos_of_the_bench_are_of_one_size_and_no_two_alike():
    photos = [intake.photo(number) for number in range(5)]
    assert {len(photo) for photo in photos} == {intake.PHOTO_BYTES}
    assert len({hashlib.sha256(photo).hexdigest() for photo in photos}) == 5
    assert read_exif(photos[0]).taken_at == "2026-04-30T08:15:00"


def test_rows_from_before_are_photos_and_their_files(tmp_path):
    intake.add_rows(tmp_path / "rows.sqlite3", 200)
    with sqlite3.connect(tmp_path / "rows.sqlite3") as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        for table in ("photos", "arrivals"):
            assert database.execute(f"SELECT count(*), count(DISTINCT sha256) FROM {table}").fetchone() == (200, 200)


def test_figures_are_of_few_rows_and_ratios_of_many_to_few():
    found = {
        ("tar", intake.FEW_ROWS): intake.Sent(500.0, 0.8),
        ("tar", intake.MANY_ROWS): intake.Sent(450.0, 0.7),
        ("put", intake.FEW_ROWS): intake.Sent(200.0, 0.4),
        ("put", intake.MANY_ROWS): intake.Sent(190.0, 0.4),
    }
    figures = intake.figures(found)
    assert (figures["photos_per_s"], figures["photos_per_s_put"]) == (500.0, 200.0)
    assert (figures["ratio_2m_to_10k"], figures["ratio_2m_to_10k_put"]) == (0.9, 0.95)


def test_what_was_sent_is_what_is_there(tmp_path):
    with intake._service(tmp_path, 50) as sender:
        sender.send_tar(range(3))
        sender.send_by_put(range(10, 13))
