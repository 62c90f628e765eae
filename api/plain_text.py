"""Text as people sent it, made fit to be kept and shown in one line."""

from __future__ import annotations

import unicodedata


def plain_text(text: str) -> str:
    """NFC, words parted by single spaces; what cannot be shown (NUL, line ends, half a surrogate) parts words too.

    PostgreSQL keeps no NUL in any text, and a line end would break lists and receipts.
    """
    shown = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text))
    return " ".join(shown.split())
