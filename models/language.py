"""How likely a line is as an inscription: a character n-gram model, with a model of upper and lower case beside it.

Letters are counted without their case, so that ``NGUYỄN`` teaches ``Nguyễn``; the case of a letter is judged by the
kinds of the characters before it. ``models.training.language`` builds the file that ships.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.charset import Charset
from models.errors import BundleError

SYMBOL_BITS = 8
EDGE, UNKNOWN, FIRST_SYMBOL = 0, 1, 2
"""A line's edge, before and after it; any character that the model never saw; the first character of its alphabet."""
UPPER, LOWER, DIGIT, SPACE, OTHER, OUTSIDE = range(6)
KINDS = 6
CASE_CONTEXT = 5
NO_CASE_CONTEXT = KINDS**CASE_CONTEXT - 1  # outside of the line all along
LOG_STEP = 1.0 / 16.0
"""Resolution of stored logarithms: a byte reaches down to e^-16."""

State = tuple[int, int]
"""Where in a line the model stands: the symbols before, packed, and the kinds before, as digits to base ``KINDS``."""


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """Log probabilities of n-grams, of what their contexts leave to shorter ones, and of upper and lower case.

    ``grams[n - 1]`` and ``backoffs[n - 1]`` belong to order n; a key holds ``SYMBOL_BITS`` a symbol, the last symbol
    lowest, a context is a key without its last symbol. ``cases``: (``KINDS`` ** ``CASE_CONTEXT``) for upper and lower.
    """

    symbol_of: Mapping[str, int]
    grams: tuple[Mapping[int, float], ...]
    backoffs: tuple[Mapping[int, float], ...]
    cases: tuple[tuple[float, ...], tuple[float, ...]]

    def letter(self, key: int) -> float:
        """Return the log probability of the last symbol of ``key`` after the others (Katz 1987)."""
        backed_off = 0.0
        for order in range(len(self.grams), 0, -1):
            end = key & ((1 << SYMBOL_BITS * order) - 1)
            known = self.grams[order - 1].get(end)
            if known is not None:
                return backed_off + known
            backed_off += self.backoffs[order - 1].get(end >> SYMBOL_BITS, 0.0)
        return _LOGS[-1]  # never seen at all

    def symbol(self, char: str) -> int:
        """Return the symbol of a character, whatever its case."""
        return self.symbol_of.get(char.lower(), UNKNOWN)


class LanguagePrior:
    """What a language model adds to the score of a text that grows class by class. Stateless; safe to share.

    A character's log probability counts ``weight`` times and brings ``length_bonus``, which makes up for every further
    character costing something.
    """

    start: State = (0, NO_CASE_CONTEXT)

    def __init__(self, model: LanguageModel, charset: Charset, weight: float, length_bonus: float) -> None:
        self._model, self._weight, self._bonus = model, weight, length_bonus
        self._symbols = [model.symbol(char) if char else EDGE for char in charset.chars]
        self._kinds = [kind_of(char) for char in charset.chars]
        self._mask = (1 << SYMBOL_BITS * len(model.grams)) - 1

    def grow(self, state: State, label: int) -> tuple[float, State]:
        """Return what writing ``label`` adds to the score, and the state after it."""
        key = (state[0] << SYMBOL_BITS | self._symbols[label]) & self._mask
        kind = self._kinds[label]
        log_probability = self._model.letter(key)
        if kind <= LOWER:
            log_probability += self._model.cases[kind][state[1]]
        added = self._weight * log_probability + self._bonus
        return added, (key, (state[1] * KINDS + kind) % KINDS**CASE_CONTEXT)

    def end(self, state: State) -> float:
        """Return what ending the line adds to the score; nothing to an empty one: that there is no text, pixels say."""
        if state == self.start:
            return 0.0
        return self._weight * self._model.letter((state[0] << SYMBOL_BITS | EDGE) & self._mask)


@lru_cache(maxsize=2)
def load_language(path: Path) -> LanguageModel:
    """Read a model, once a process; raises BundleError if the file is none."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            stored: dict[str, NDArray[Any]] = dict(arrays)
        count = sum(name.startswith("keys") for name in stored)
        tables = [_tables(stored, order) for order in range(1, count + 1)]
        upper = stored["upper"].astype(float)
        symbol_of = {char: FIRST_SYMBOL + index for index, char in enumerate(str(stored["alphabet"]))}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise BundleError(f"Language model {path} cannot be read: {error}; rebuild the bundle.") from error
    cases = tuple(np.log(upper).tolist()), tuple(np.log(1.0 - upper).tolist())
    return LanguageModel(symbol_of, tuple(grams for grams, _ in tables), tuple(left for _, left in tables), cases)


def contexts_of(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the contexts of keys, sorted, each once."""
    return np.unique(keys >> np.uint64(SYMBOL_BITS))


def kind_of(char: str) -> int:
    """Return the kind that a character is for judging the case of those after it."""
    if char.isdigit():
        return DIGIT
    if char.isspace():
        return SPACE
    if char.lower() == char.upper():
        return OTHER
    return UPPER if char == char.upper() else LOWER


def _tables(stored: Mapping[str, NDArray[Any]], order: int) -> tuple[dict[int, float], dict[int, float]]:
    """Return n-grams and back-offs of one order; equal logarithms share one object, which halves the memory."""
    keys = np.cumsum(stored[f"keys{order}"], dtype=np.uint64)  # stored as differences
    logs, left = stored[f"logs{order}"].tolist(), stored[f"backoffs{order}"].tolist()
    grams = dict(zip(keys.tolist(), map(_LOGS.__getitem__, logs), strict=True))
    return grams, dict(zip(contexts_of(keys).tolist(), map(_LOGS.__getitem__, left), strict=True))


_LOGS = [-LOG_STEP * step for step in range(256)]
