"""The texts that people see, in Vietnamese (default) and English, from one catalogue: ``api/web/texts.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

CATALOGUE = Path(__file__).parent / "web" / "texts.toml"


class Language(StrEnum):
    """A language of the pages; the value is the tag for ``lang``."""

    VI = "vi"
    EN = "en"

    @classmethod
    def chosen(cls, cookie: str | None) -> Language:
        """The language that a cookie asks for; Vietnamese where it asks for nothing known.

        The browser's ``Accept-Language`` is not asked: office computers are often set to English for no reason.
        """
        return next((language for language in cls if language == cookie), cls.VI)


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Every text as ``"section.key" → {"vi": …, "en": …}``."""
    with CATALOGUE.open("rb") as file:
        sections = tomllib.load(file)
    return {f"{section}.{key}": texts for section, entries in sections.items() for key, texts in entries.items()}


class Texts:
    """The catalogue in one language. Called with a key it answers the text; a key that is not there is a mistake."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, **filled: object) -> str:
        """The text of ``section.key`` with its placeholders filled in. Raises ``KeyError`` where there is none."""
        return catalogue()[key][self.language].format(**filled)

    def of_code(self, section: str, code: str) -> str:
        """The text of a code that the readers or the parser gave, or the section's ``other`` naming it.

        Codes grow with the parser; a new one must show as itself and never break a page.
        """
        texts = catalogue().get(f"{section}.{code}") or catalogue()[f"{section}.other"]
        return texts[self.language].format(code=code.replace("_", " "))

    def knows(self, key: str) -> bool:
        """Whether the catalogue has this text."""
        return key in catalogue()

    def section(self, name: str) -> dict[str, str]:
        """All texts of a section, unfilled, for a script that fills them in the browser."""
        prefix = f"{name}."
        return {
            key.removeprefix(prefix): texts[self.language]
            for key, texts in catalogue().items()
            if key.startswith(prefix)
        }
