"""Dates in which the reader took letters for digits, signs for letters, or let a letter in that is not there.

Everything here keeps the length of the text, so that a span of what is repaired is the span of what was cut. A letter
that looks like no digit leaves a hole: no digit is ever guessed, but where a year allows only one.
"""

from __future__ import annotations

import re

from ocr_service.fields.text import within_one_edit

_SPACED = re.compile(r"(?<!\d)(?<!\d )(1 ?[89]|2 ?0) (\d) ?(\d)(?!\d)|(?<![\d])([12]) ([089]) (\d) (\d)(?!\d)")
# Letters that stand for a digit when they touch one, capitals apart: G is like 6 and g like 9, B like 8 and b like 6.
_DIGITS = dict(zip("OoQDIil|!SsBZzGbgq", "000011111558226699", strict=True))
# Digits' look-alikes and blanks (x) are no strays: 01a - 03 - 1983, 24-03-u1971, 3 - 2 e- 1969, 5e-4-1968.
_STRAY = re.compile(
    r"(?<=\d\d)[acdefhjkmnprtuvwy](?=\s*[./\-]\s*\d)|(?<=[./\-])\s*[a-hj-uwyz]\s+(?=\d)|(?<=[./\-])[acdefhjkmnprtuvwy](?=(?:19|20)\d\d(?!\d))"
    r"|(?<=\d)[a-z](?=\s*thang|nam\b|ngay)|(?<=\d)\s+[acdefhjkmnprtuvwy](?=\s*[./\-])"
    r"|(?<!\d[4-9])(?<=[4-9])[acdefhjkmnprtuvwy](?=\s*[./\-])"
)
_LETTER_FOR_STROKE = re.compile(
    r"(?P<before>\d{1,2}\s*[./\-]\s*\d{1,2}\s+)[a-z](?P<after>\s*(?:19|20)\d\d)(?!\d)"
    r"|(?<![\d./\-])(?P<day>\d{1,2}\s+)[a-z](?P<month>\s+\d{1,2}\s*[./\-]\s*(?:19|20)\d\d)(?!\d)"
)
_TWO_LETTERS_FOR_STROKES = re.compile(r"(\d{1,2})[a-z](\d{1,2})[a-z]((?:19|20)\d\d)")
_ALONE = re.compile(r"(?<![a-z])[a-z](?![a-z])")
_NO_DIGIT = "e"  # stands for a letter with a mark, which is like no digit
_STROKE_FOR_ONE = re.compile(r"(?<=[./\-])(\s*)/(?=9\d\d(?!\d))")
_TWO_SIGNS = re.compile(r"(?<=\d)(\s*)([./\-])(\s*)(?!\2)[./\-](?![./\-])(?=\s*\d)")
_TOKEN = re.compile(r"[0-9a-z|!]+")
_YEAR = re.compile(r"1[89]\d\d|20[0-3]\d")
_WORDS = ("thang", "ngay", "nam")
_STROKES = ("/", "-", ".")
# Of a year with only its end left, 27 to 99 lie in one century: nobody has died in 2027 yet.
_THIS_CENTURY = "26"


def with_digits_repaired(folded: str, cut: str) -> tuple[str, bool]:
    """Folded text with digits for look-alike letters, of the same length, and whether anything was repaired.

    ``cut`` is the same text before folding: it tells G from g, and Ò, which no reader takes for a zero, from O.
    """
    plain = _ALONE.sub(lambda match: match.group() if cut[match.start()].isascii() else _NO_DIGIT, folded)
    cleared = _STRAY.sub(lambda match: " " * len(match.group()), plain)
    cleared = _STROKE_FOR_ONE.sub(r"\g<1>1", cleared)
    cleared = _TWO_SIGNS.sub(r"\1\2\3 ", cleared)
    cleared = _LETTER_FOR_STROKE.sub(
        lambda m: f"{m['before']}-{m['after']}" if m["before"] else f"{m['day']}-{m['month']}", cleared
    )
    cleared = _TWO_LETTERS_FOR_STROKES.sub(r"\1/\2/\3", cleared)
    repaired = _TOKEN.sub(lambda match: _repaired(match, cleared, cut), cleared)
    fixed = repaired != plain
    joined = _SPACED.sub(lambda m: "".join(c for c in m.group() if c != " ").ljust(len(m.group())), repaired)
    return joined, fixed


def _repaired(match: re.Match[str], text: str, cut: str) -> str:
    token, start, end = match.group(), match.start(), match.end()
    others = [i for i, char in enumerate(token) if not char.isdigit()]
    if not others or len(others) == len(token):
        return token
    word = _date_word(token)
    if word:
        return word
    digits = "".join(_DIGITS.get(cut[start + i], "?") if i in others else char for i, char in enumerate(token))
    left, right = text[:start].rstrip()[-1:] in _STROKES, text[end:].lstrip()[:1] in _STROKES
    if len(others) == 1 and len(token) == 2 and left and right and "x" not in token:
        return _month_with_a_letter(token, others[0], digits)
    if len(others) == 1:
        return _with_one_letter(token, others[0], digits, in_date=left or right, is_last=not text[end:].strip())
    if others == [0, 1] and len(token) == 4 and left and token[2:] > _THIS_CENTURY:
        return f"19{token[2:]}"
    return digits if "?" not in digits else token


def _date_word(token: str) -> str | None:
    """``tháng`` where one of its letters was read as a digit: THÁN6; of the same length, None for other tokens."""
    if sum(char.isalpha() for char in token) < 2 or not 3 <= len(token) <= 6:
        return None
    word = next((known for known in _WORDS if within_one_edit(known, token)), None)
    return word.ljust(len(token)) if word and len(word) <= len(token) else None


def _month_with_a_letter(token: str, place: int, digits: str) -> str:
    """``-e7-`` between two strokes can only be July, ``-e0-`` October; ``-e1-`` and ``-0e-`` stay open."""
    if "?" not in digits and 1 <= int(digits) <= 12:
        return digits
    known = token[1 - place]
    if known >= "3" or (place == 1 and known == "2"):
        return f"0{known}"
    return "10" if place == 0 and known == "0" else "? "


def _with_one_letter(token: str, place: int, digits: str, *, in_date: bool, is_last: bool) -> str:
    """A token with a single letter: one too many, one for a digit, or one for a sign, as its length tells."""
    without = (token[:place] + token[place + 1 :]).ljust(len(token))
    known = digits[place] != "?"
    match len(token):
        case 5 if _YEAR.fullmatch(without.strip()):
            return without  # 19A64: a year has four digits
        case 5 if place == 2 and in_date:
            return token[:2] + "/" + token[3:]
        case 6 | 7 if 1 <= place <= 2 and _YEAR.fullmatch(token[place + 1 :]):
            return token[:place] + "/" + token[place + 1 :]
        case 4:
            return _year_with_a_letter(token, place, digits)
        case 3 if in_date and place == 1 and not is_last and without.strip() > "31":
            return token[0] + "/" + token[2]  # 5e4.1976: no month has 54 days
        case 3 if in_date and not token.startswith("19") and not (is_last and known):
            return without  # a day or a month has two digits at most
        case 2 if in_date and not known and token[0] not in "tx" and "x" not in token:
            return "? "
    return digits if known else token


def _year_with_a_letter(token: str, place: int, digits: str) -> str:
    """``1x65`` and ``A965`` can only be 19.5; ``19x5`` and ``196x`` keep a hole unless the letter is like a digit."""
    if place == 0 and token[1] == "9":
        return "1" + token[1:]
    if place == 1 and token[0] == "1":
        return f"19{token[2:]}"
    return digits if place >= 2 or (token[0] == "2" and digits[1] == "0") else token
