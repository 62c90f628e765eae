from __future__ import annotations

import re
import string
import unicodedata
from pathlib import Path

import pytest

import api
from api.i18n import CATALOGUE, Language, Texts, catalogue
from ocr_service.records import RejectReason
from ocr_service.states import FileState, PhotoState, RecordState, Verdict

WEB = Path(api.__file__).parent


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_has_both_languages_and_no_other() -> None:
    assert {key for key, texts in catalogue().items() if set(texts) != set(Language)} == set()
    assert {key for key, texts in catalogue().items() if not all(text.strip() for text in texts.values())} == set()


def test_both_languages_fill_in_the_same_placeholders() -> None:
    differing = {key for key, texts in catalogue().items() if placeholders(texts["vi"]) != placeholders(texts["en"])}
    assert differing == set()


def test_texts_are_composed_unicode() -> None:
    assert unicodedata.is_normalized("NFC", CATALOGUE.read_text("utf-8"))


def test_every_text_that_a_template_names_exists() -> None:
    named = set()
    for template in (WEB / "web" / "templates").rglob("*.html"):
        named |= set(re.findall(r"\bt\(\s*[\"']([a-z_]+\.[a-z_]+)[\"']", template.read_text("utf-8")))
    assert len(named) > 50
    assert named - set(catalogue()) == set()


@pytest.mark.parametrize(
    ("script", "section"),
    [
        ("verify/page.js", "verify"),
        ("verify/form.js", "verify"),
        ("verify/refusal.js", "verify"),
        ("verify/shots.js", "verify"),
        ("upload/form.js", "upload"),
        ("upload/progress.js", "upload"),
        ("upload/amounts.js", "upload"),
    ],
)
def test_every_text_that_a_script_names_exists(script: str, section: str) -> None:
    source = (WEB / "web" / "static" / "js" / script).read_text("utf-8")
    named = set(re.findall(r"\btexts\.([a-z_]+)|\bsay\(\"([a-z_]+)\"", source))
    keys = {f"{section}.{one or other}" for one, other in named}
    assert keys
    assert keys - set(catalogue()) == set()
    verdicts = [
        f"verify.saved_{verdict}"
        for verdict in Verdict
        if verdict not in (Verdict.ACCEPT, Verdict.CORRECT, Verdict.UNDO)
    ]
    assert set(verdicts) - set(catalogue()) == set()


def test_every_state_of_a_file_and_every_phase_of_an_upload_has_a_text() -> None:
    scripts = WEB / "web" / "static" / "js" / "upload"
    form, sending = ((scripts / name).read_text("utf-8") for name in ("form.js", "sending.js"))
    phases = re.findall(r"return (?:[\w.#]+ \? )?\"(\w+)\"(?: : \"(\w+)\")?;", form[form.index("#phase(") :])
    states = re.findall(r"#tell\(\w+, \"(\w+)\"|#settle\([\w, ]+\"(\w+)\"|note: \"(\w+)\"", sending)
    named = {f"phase_{phase}" for pair in phases for phase in pair if phase} | {
        state for found in states for state in found if state
    }
    assert named > {"phase_done", "phase_partly", "phase_paused", "checking", "sending", "new", "known", "twin"}
    assert {f"upload.{name}" for name in named} - set(catalogue()) == set()


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("section", ["reject", "advice"])
@pytest.mark.parametrize("reason", RejectReason)
def test_every_reason_for_a_rejection_is_explained(language: Language, section: str, reason: RejectReason) -> None:
    assert Texts(language).knows(f"{section}.{reason}")


def test_every_state_and_verdict_has_a_name() -> None:
    named = [("state", PhotoState), ("state_hint", PhotoState), ("record_state", RecordState), ("decision", Verdict)]
    named += [("file_state", FileState), ("file_meaning", FileState)]
    assert {f"{section}.{value}" for section, values in named for value in values} - set(catalogue()) == set()


def test_a_code_without_a_text_shows_as_itself() -> None:
    assert "brand new" in Texts(Language.VI).of_code("flag", "brand_new")


def test_a_missing_text_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Texts(Language.VI)("nav.nowhere")


@pytest.mark.parametrize(("cookie", "language"), [(None, "vi"), ("en", "en"), ("vi", "vi"), ("<script>", "vi")])
def test_the_language_is_vietnamese_unless_another_known_one_is_chosen(cookie: str | None, language: str) -> None:
    assert Language.chosen(cookie) == language
