"""Alembic's scripts; ``ocr_service.database.open_database`` runs them."""
