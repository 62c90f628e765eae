"""Which letter strings are Vietnamese syllables, and the one that a misread string must be.

A syllable is an onset, a rime and a tone. The tables list the rimes of Vietnamese orthography; a stopped rime
(-c, -ch, -p, -t) bears only the rising or the heavy tone.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import product

from ocr_service.fields.text import fold

_LONG_ONSETS = ("ngh", "ng", "nh", "ch", "gh", "gi", "kh", "ph", "qu", "th", "tr")
_SINGLE_ONSETS = ("b", "c", "d", "đ", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "x")
_RIME_LIST = (
    "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây e ec em en eng eo ep et"
    " ê êch êm ên ênh êp êt êu i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu o oa oac oach oai oam oan oang"
    " oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong oong op ot ô ôc ôi ôm ôn ông ôp ôt"
    " ơ ơi ơm ơn ơp ơt u ua uân uâng uât uây uc uê uêch uênh ui um un ung uơ uôc uôi uôm uôn uông uôt up ut uy uya"
    " uych uyên uyêt uynh uyp uyt uyu ư ưa ưc ưi ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu y yê yêm yên yêng yêt yêu"
    " oem ăch êc ưm ưn ynh yt ych yp"
)
_RIMES = frozenset(_RIME_LIST.split())
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_STOPPED = ("c", "p", "t", "ch")
_FORMS = {"a": "aăâ", "e": "eê", "o": "oôơ", "u": "uư", "d": "dđ", "i": "i", "y": "y"}


@lru_cache(maxsize=8192)
def _parts(word: str) -> tuple[str, str, int]:
    """Lower-case letters without tone, the tone marks (a syllable has one at most), and which letter bears the last."""
    letters, tone, place = "", "", -1
    for letter in unicodedata.normalize("NFC", word.lower()):
        for mark in unicodedata.normalize("NFD", letter):
            if mark in _TONES:
                tone, place = tone + mark, len(letters)
        bare = "".join(mark for mark in unicodedata.normalize("NFD", letter) if mark not in _TONES)
        letters += unicodedata.normalize("NFC", bare)
    return letters, tone, place


@lru_cache(maxsize=8192)
def _split(letters: str) -> tuple[str, str] | None:
    """Onset and rime, None if the letters are no syllable."""
    for onset in (*_LONG_ONSETS, *_SINGLE_ONSETS, ""):
        if letters.startswith(onset):
            rime = letters[len(onset) :]
            if rime in _RIMES and onset != "q" and (not rime.startswith("yê") or onset in ("", "qu")):
                return onset, rime
    if letters.startswith("gi") and letters[1:] in _RIMES:
        return "g", letters[1:]
    return None


def has_tone(word: str) -> bool:
    """Whether a letter of the word bears one of the five tone marks."""
    return bool(_parts(word)[1])


@lru_cache(maxsize=8192)
def is_syllable(word: str) -> bool:
    """Whether the word is a Vietnamese syllable, wherever its tone mark stands."""
    letters, tone, _ = _parts(word)
    split = _split(letters)
    if split is None or len(tone) > 1:
        return False
    return not split[1].endswith(_STOPPED) or tone in ("\u0301", "\u0323")


_BARE_RIMES = frozenset(fold(rime) for rime in _RIMES)


@lru_cache(maxsize=8192)
def is_bare_syllable(word: str) -> bool:
    """Whether some Vietnamese syllable has these letters when all marks are taken off: ``nguyen``."""
    letters = fold(word)
    return any(
        letters.startswith(onset) and letters[len(onset) :] in _BARE_RIMES
        for onset in (*_LONG_ONSETS, *_SINGLE_ONSETS, "")
        if onset != "q"
    ) or (letters.startswith("gi") and letters[1:] in _BARE_RIMES)


@lru_cache(maxsize=8192)
def _tone_places(letters: str) -> tuple[int, ...]:
    """Where the tone may stand: two places for oa, oe, uy, on which schools differ."""
    split = _split(letters)
    if split is None:
        return ()
    onset, rime = split
    vowels = [i for i, letter in enumerate(rime) if letter in "aăâeêioôơuưy"]
    marked = [i for i in vowels if rime[i] in "ăâêôơư"]
    if marked:
        return (len(onset) + marked[-1],)
    ends_open = vowels[-1] == len(rime) - 1
    if len(vowels) == 1:
        places = [vowels[0]]
    elif len(vowels) == 3 or not ends_open:
        places = [vowels[1]]
    elif rime in ("oa", "oe", "uy"):
        places = vowels
    else:
        places = [vowels[0]]
    return tuple(len(onset) + place for place in places)


@lru_cache(maxsize=8192)
def with_tone_in_place(word: str) -> str:
    """The word with its tone on the letter that may bear it (``Qùy`` → ``Quỳ``); itself where that is already so."""
    letters, tone, place = _parts(word)
    places = _tone_places(letters)
    if len(tone) != 1 or not places or place in places:
        return word
    moved = unicodedata.normalize("NFC", letters[: places[0] + 1] + tone + letters[places[0] + 1 :])
    return "".join(new.upper() if old.isupper() else new for new, old in zip(moved, word, strict=False))


@lru_cache(maxsize=4096)
def repaired_marks(word: str) -> str | None:
    """The one syllable with the same letters that needs the fewest other marks; None if none, or several, are as near.

    Only for a string that is no syllable as it stands: ``Khưê`` → ``Khuê``. Tones are kept.
    """
    letters, tone, place = _parts(word)
    if not 1 <= len(letters) <= 7 or not letters.isalpha() or is_syllable(word) or len(tone) > 1:
        return None
    bases = [unicodedata.normalize("NFD", letter)[0] if letter != "đ" else "d" for letter in letters]
    found: dict[int, list[str]] = {}
    for choice in product(*(_FORMS.get(base, base) for base in bases)):
        candidate = "".join(choice)
        changes = sum(new != old for new, old in zip(candidate, letters, strict=True))
        if _split(candidate):
            found.setdefault(changes, []).append(candidate)
    nearest = found[min(found)] if found else []
    if len(nearest) != 1:
        return None
    places = _tone_places(nearest[0])
    spot = place if place in places else places[0]
    whole = unicodedata.normalize("NFC", nearest[0][: spot + 1] + tone + nearest[0][spot + 1 :])
    if not is_syllable(whole):
        return None
    return "".join(new.upper() if old.isupper() else new for new, old in zip(whole, word, strict=False))
