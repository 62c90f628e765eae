"""Where a grave stands in its cemetery: khu (area), lô (lot), hàng (row), ô (cell), mộ (grave number)."""

from __future__ import annotations

import re

from ocr_service.fields.text import fold, squeeze

_VALUE = r"(?:(?<![a-z])[a-z]{1,2}\d{0,3}|\d{1,4}[a-z]?|(?<![a-z])[ivx]{1,4})(?![a-z0-9])"
_AXIS = re.compile(
    r"(?<![a-z0-9])(?:(?P<khu>khu(?: vuc| mo)?|k(?=\s?[a-z]?\d|\.))|(?P<lo>lo(?: so)?|l(?=\.?\s?\d|\.))"
    r"|(?P<hang>(?:hang|day)(?: mo| so| thu)?|h(?=\.?\s?\d))"
    r"|(?P<o>o(?: so)?)|(?P<mo>so mo|mo so|ngoi mo so|ngoi so|ngoi mo|ngoi|mo|so|m(?=\.?\s?\d)|s(?=\d)|no\b\.?))"
    rf"\s*[:.\-]?\s*(?:thu\s+)?\"?(?P<value>{_VALUE})\"?"
)
_CODE = re.compile(
    r"^\s*[a-z]{0,2}\s?\d{1,3}\s?[/.\-]\s?\d{1,4}(?:\s?[/.\-]\s?\d{1,4})?\s*$|^\s*[a-z]{1,2}\s?-?\s?\d{1,4}\s*$"
)
_BARE = re.compile(r"^\s*(?:so|no|n)?[.:\s]*(\d{1,4})\s*$")


def read_location(text: str, *, labelled: bool = False, foot: bool = False) -> dict[str, str] | None:
    """The plot that a whole line names, None if the line is something else.

    ``labelled`` says that the text is known to be a plot; ``foot`` that a lone number may be the grave's.
    Values are as cut; a code without axis names stays in ``raw`` alone.
    """
    folded = fold(text)
    found: dict[str, str] = {}
    used = 0
    for match in _AXIS.finditer(folded):
        axis = next(name for name in ("khu", "lo", "hang", "o", "mo") if match[name])
        if axis not in found:
            found[axis] = text[match.start("value") : match.end("value")].upper()
        used += len(match.group().replace(" ", ""))
    letters = len(re.sub(r"[\W_]", "", folded))
    spelled = any(len(match[0]) > 3 or " " in match[0] for match in _AXIS.finditer(folded))
    if found and used >= 0.8 * letters and (len(found) > 1 or spelled or labelled):
        return found
    bare = _BARE.match(folded)
    if bare and (foot or labelled) and not 1900 <= int(bare[1]) <= 2035:
        return {"mo": bare[1]}
    if labelled or (_CODE.match(folded) and not re.match(r"^\s*(?:0?[1-9]|[12]\d|3[01])\s?[/.\-]", folded)):
        return {"raw": squeeze(text)}
    return None
