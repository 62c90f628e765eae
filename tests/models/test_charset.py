import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.charset import Charset, strip_marks, vietnamese_letters
from models.errors import BundleError


def test_vietnamese_has_134_letters_with_marks():
    letters = vietnamese_letters()
    assert len(letters) == 134
    assert {"ế", "Ộ", "đ", "Đ", "ỹ"} <= letters
    assert all(unicodedata.is_normalized("NFC", letter) and len(letter) == 1 for letter in letters)


def test_strip_marks_leaves_bare_letters_and_case():
    assert strip_marks("NGUYỄN Đức Thưởng") == "NGUYEN Duc Thuong"


@given(st.text())
def test_strip_marks_twice_changes_nothing_more(text):
    assert strip_marks(strip_marks(text)) == strip_marks(text)


@given(st.text(alphabet=sorted(vietnamese_letters())))
def test_stripped_vietnamese_is_ascii(text):
    assert strip_marks(text).isascii()


def test_charset_writes_what_it_encodes():
    charset = Charset.from_symbols("LIỆTSĨ ")
    assert charset.text(charset.encode("LIỆT SĨ")) == "LIỆT SĨ"


def test_encoding_a_letter_that_no_class_writes_names_it():
    with pytest.raises(KeyError, match="Ỷ"):
        Charset.from_symbols("ABC").encode("AỶ")


def test_missing_letters_are_named():
    assert Charset.from_symbols("ABC").missing("ABCĐ") == ["Đ"]


def test_a_charset_without_its_blank_is_refused():
    with pytest.raises(BundleError):
        Charset(("A", "B"))
