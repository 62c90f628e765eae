"""The only place that touches SQL: tables, transactions, and one module of queries for each kind of row."""

from __future__ import annotations

from ocr_service.database.engine import Database, connect_database, open_database

__all__ = ["Database", "connect_database", "open_database"]
