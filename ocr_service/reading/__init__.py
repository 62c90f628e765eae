"""From the bytes of a photo to a reading: the whole algorithm, without database, queue or network."""

from __future__ import annotations

from ocr_service.reading.photo import Reader, check_reader, load_reader, read_photo, reader_of

__all__ = ["Reader", "check_reader", "load_reader", "read_photo", "reader_of"]
