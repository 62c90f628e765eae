from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from models.charset import strip_marks, vietnamese_letters
from models.training.alphabet import ALPHABET, CLASSES, as_written, donors, is_writable


def test_every_vietnamese_letter_has_exactly_one_class() -> None:
    assert vietnamese_letters() <= set(CLASSES)
    assert len(set(CLASSES)) == len(CLASSES)


def test_classes_are_numbered_as_paddleocr_numbers_them() -> None:
    assert CLASSES[0] == ""
    assert CLASSES[-1] == " "
    assert CLASSES[1:-1] == ALPHABET


def test_characters_are_single_code_points_in_nfc() -> None:
    assert all(len(character) == 1 and unicodedata.is_normalized("NFC", character) for character in ALPHABET)


def test_text_with_a_foreign_letter_is_not_writable() -> None:
    assert is_writable("Hy sinh: 30/4/1968")
    assert not is_writable("烈士")


def test_a_letter_with_two_marks_starts_from_both_letters_with_one() -> None:
    assert set(donors("ế", {"e", "ê", "é"})) == {"ê", "é"}


def test_a_letter_starts_from_the_one_relative_that_is_known() -> None:
    assert donors("ự", {"u", "ư"}) == ("ư",)
    assert donors("ạ", {"a", "b"}) == ("a",)
    assert donors("ự", {"u"}) == ("u",)


def test_the_barred_letter_starts_from_its_lookalike() -> None:
    assert donors("Đ", {"D", "d"}) == ("D",)


def test_a_sign_without_relatives_has_no_donor() -> None:
    assert donors("°", {"a", "1"}) == ()


def test_dashes_and_quotes_are_written_in_one_form() -> None:
    assert as_written("“Sáu” – 1968—1972…") == '"Sáu" - 1968-1972...'
    assert is_writable(as_written("“Sáu” – 1968—1972…"))


@given(st.sampled_from(sorted(vietnamese_letters())), st.sets(st.sampled_from(sorted(CLASSES[1:]))))
def test_donors_are_known_and_share_the_bare_letter(letter: str, known: set[str]) -> None:
    found = donors(letter, known)
    assert set(found) <= known
    assert all(strip_marks(donor) == strip_marks(letter) for donor in found)
