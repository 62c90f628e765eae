"""Lines beside the facts of the dead: certificates, living relatives, the war, who moved the grave and when."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ocr_service.fields.dates import read_date
from ocr_service.fields.text import fold, squeeze

_CERTIFICATE = re.compile(
    r"(?:bang\s+(?:tqgc|to\s*quoc\s*ghi\s*cong|liet\s*s[iy])|b\.?tqgc|tqgc"
    r"|bang(?=\s*so))\s*(?:so)?\s*[:.]?\s*(?P<no>[a-z0-9][a-z0-9.\-/]*(?:\s[a-z]{0,2}\d+[a-z]*|\s[a-z]{1,3}(?!\w))*)"
)
_DECISION = re.compile(
    r"(?:q\.?d|quyet\s*dinh)\s*(?:tqgc)?\s*(?:so\s*[:.]?\s*(?=[a-z]{1,4}\s\d)|(?:so)?\s*[:.]?\s*(?=\d))"
    r"(?P<no>(?:[a-z]{1,4}\s)?\d[\w.]*(?:\s?[/\-]\s?[\w\-]+|\s(?:ttg|ctn|cp)\b)*)"
    r"(?:\s*,?\s*(?:ngay|n\.)?\s*(?P<date>\d{1,2}\s?[/.\-]\s?\d{1,2}\s?[/.\-]\s?\d{2,4}))?"
)
_MEDAL = re.compile(r"\b(?:huan\s*(?:chuong|huy chuong)|huy\s*chuong|huy\s*hieu|dung s[iy])\b")
_KIN = re.compile(
    r"(?<![a-z])(?P<kin>vo(?: va cac con| va con)?|chong|con(?: trai| gai| chau)?|cac con|cha|bo|me|anh|chi"
    r"|em(?: trai| gai)?|chau|than nhan"
    r"|gia dinh|dong doi|nguoi lap|nguoi cung|ho ten cha|ho ten me|hau due|chat|co|di|cau|bac)\s*(?P<colon>:|lap|\s)"
)
_SETS_UP = re.compile(
    r"\b(?:phung\s*lap|dong\s*phung\s*lap|lap\s*(?:bia|mo)|phung\s*(?:tu|tho|cung)|kinh\s*(?:lap|tang|bien)"
    r"|cung\s*tien|tai\s*tro|ton\s*tao|xay\s*(?:mo|dung)|dung\s*bia)\b"
)
_PHONE = re.compile(r"(?<!\d)(?:\+?84|0)[\s.\-]?\d{2,3}(?:[\s.\-]?\d{2,4}){2,3}(?!\d)")
# Letters that readers give for the digits of a number: O9I2.345.678.
_PHONE_TOKEN = re.compile(r"(?<![^\W_])[0-9OoIl|]*\d[0-9OoIl|]*(?![^\W_])|(?<![^\W_])[Oo](?=[\s.\-]?\d{3})")
_PHONE_DIGITS = str.maketrans("OoIl|", "00111")
_MOST_DIGITS = 24  # a line with more is a table, unless it says that it holds a telephone
_PHONE_WORD = re.compile(r"\b(?:dt|sdt|dien\s*thoai|tel|phone|hotline|lh|lien\s*he|zalo|dd)\b")
_SELLER = re.compile(
    r"\b(?:da\s*my\s*nghe|co\s*so|lang\s*nghe|lang\s*mo\s*da|www|http|\.com|\.vn|khac\s*bia|bia\s*da)\b|@"
)
_PERSON = re.compile(r"(?:[A-ZĐÀ-Ỹ][^\W\d_]*\s+){1,4}[A-ZĐÀ-Ỹ][^\W\d_]*")
_WARS: tuple[tuple[str, str], ...] = (
    ("BGTN", r"bien\s*gioi\s*tay\s*nam|bgtn|tay\s*nam\s*to\s*quoc"),
    ("BGPB", r"bien\s*gioi\s*phia\s*bac|bgpb|bien\s*gioi\s*viet\s*-?\s*trung|mat\s*tran\s*vi\s*xuyen"),
    ("QT_CPC", r"chien\s*truong\s*k\b|campuchia|cam\s*pu\s*chia|\bcpc\b|quoc\s*te\s*k\b|kampuchea"),
    (
        "QT_LAO",
        r"chien\s*truong\s*c\b|(?:mat\s*tran|chien\s*truong|tai|nuoc|ban)\s+(?:ha\s+|thuong\s+|trung\s+)?lao\b"
        r"|quoc\s*te\s*lao",
    ),
    ("KCCP", r"kccp|c\.?\s?phap|(?:khang\s*chien|k/?c|chong)(?:\s+chong)?\s+(?:thuc\s*dan\s+)?phap"),
    (
        "KCCM",
        r"kccm|cmcn|(?:khang\s*chien|k/?c|chong)(?:\s+chong)?\s+(?:de\s*quoc\s+)?m[yi]\b|c\.?\s?m[yi]\s+cuu\s*nuoc",
    ),
    ("QT", r"qtnv|nghia\s*vu\s*quoc\s*te|lam\s*nhiem\s*vu\s*quoc\s*te|quoc\s*te\b"),
    ("BVTQ", r"bvtq|bao\s*ve\s*to\s*quoc|xay\s*dung\s*va\s*bao\s*ve"),
)
_WAR = re.compile("|".join(f"(?P<w{i}>(?<![a-z])(?:{words}))" for i, (_, words) in enumerate(_WARS)))
_CODES = {"QT": "other"}
_WHERE = re.compile(r"(?<![^\W_])(?:tại|ở|tai|o)\s+(?P<place>[^()]+)", re.I)
_FRONT = re.compile(
    r"(?<![^\W_])(?P<place>(?:mặt trận|chiến trường|biên giới|MẶT TRẬN|CHIẾN TRƯỜNG|BIÊN GIỚI|Mặt trận|Chiến trường"
    r"|Biên giới)\s+[^(),;]+)"
)


@dataclass(frozen=True, slots=True)
class Redaction:
    """Names and numbers of living people in a line, as cut, and the year they set the stone up."""

    spans: tuple[str, ...]
    erected: str | None


def read_award(text: str) -> dict[str, str]:
    """Number of the state's certificate, number and date of the decision; medals as cut. Empty if there is none."""
    folded = fold(text)
    award: dict[str, str] = {}
    certificate = _CERTIFICATE.search(folded)
    if certificate:
        number = text[certificate.start("no") : certificate.end("no")]
        award["bang_so"] = squeeze(re.split(r"(?i)\s+(?:qđ|quyết)", number)[0]).strip(" .,;")
    decision = _DECISION.search(folded)
    if decision and (certificate or re.search(r"[a-z]", decision["no"]) or decision["date"]):
        award["qd_so"] = squeeze(text[decision.start("no") : decision.end("no")]).strip(" .,;")
        if decision["date"]:
            signed = read_date(decision["date"]).value
            if signed:
                award["qd_ngay"] = signed
    medal = _MEDAL.search(folded)
    if medal and not award:
        award["raw"] = squeeze(text).strip(" .,;-")
    return award


def read_redaction(text: str) -> Redaction | None:
    """Living people in a line: relatives who set the stone up, phone numbers, sellers. None if there are none."""
    folded = fold(text)
    phones = phone_numbers(text)
    sets_up = _SETS_UP.search(folded)
    kin = _KIN.search(folded)
    if not (phones or sets_up or (kin and kin["colon"] == ":") or _SELLER.search(folded)):
        return None
    spans: list[str] = []
    if sets_up or (kin and kin["colon"] == ":"):
        body = text[kin.end("kin") :] if kin else text
        body = _without(phones, body)
        for chunk in re.split(r"[,;:()]|\s-\s|\bvà\b", body):
            cut = _SETS_UP.split(fold(chunk))[0]
            found = (squeeze(match.group()).split() for match in _PERSON.finditer(chunk[: len(cut)]))
            spans += [" ".join(word for word in words if word[0].isupper()) for words in found]
    year = re.search(r"(?<!\d)(?:19|20)\d\d(?!\d)", _without(phones, text)) if sets_up else None
    return Redaction(
        tuple(dict.fromkeys([*spans, *(squeeze(phone) for phone in phones)])), year.group() if year else None
    )


def phone_numbers(text: str) -> list[str]:
    """Telephone numbers in a text as cut, their digits read as letters included."""
    digits = _PHONE_TOKEN.sub(lambda match: match.group().translate(_PHONE_DIGITS), text)
    found = [text[match.start() : match.end()] for match in _PHONE.finditer(digits) if _is_phone(match.group())]
    total = sum(c.isdigit() for c in digits)
    return found if total <= _MOST_DIGITS or _PHONE_WORD.search(fold(text)) else []


def _is_phone(number: str) -> bool:
    return 9 <= sum(c.isdigit() for c in number) <= 12


def _without(phones: list[str], text: str) -> str:
    for phone in phones:
        text = text.replace(phone, " ")
    return text


def read_war(text: str) -> str | None:
    """The war that a text names."""
    match = _WAR.search(fold(text))
    if not match:
        return None
    code = _WARS[int(str(match.lastgroup)[1:])][0]
    return _CODES.get(code, code)


def read_death_place(text: str) -> str | None:
    """Where somebody fell, as cut: what follows ``tại`` or names a front."""
    match = _WHERE.search(text) or _FRONT.search(text)
    if not match:
        return None
    place = re.split(r"[,;]\s*(?=\d)|\s+(?:ngày|năm)\s+\d", squeeze(match["place"]))[0].strip(" .,;:-/")
    return place or None
