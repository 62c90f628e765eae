"""Verification: the page, and the small requests of its script. Every rule is the use case's; here it gets words."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from api.access import Actor
from api.deps import ReadSession, SettingsDep, Verifier, WriteSession
from api.i18n import Texts
from api.pages.drafts import ShownDraft, notes_of, show_draft, title_of
from api.pages.form import FORM_FIELDS, MAIN_FIELDS, MORE_FIELDS, Entry, corrections, field_spec, understand
from api.pages.render import render, texts_for
from api.pages.values import FieldTextError, meaning_of, show_value
from api.params import RowId
from api.problems import ProblemError
from ocr_service import verification
from ocr_service.database.values import RecordView
from ocr_service.errors import ConflictError
from ocr_service.states import RecordState, Verdict

router = APIRouter()

# Sharp enough to tell worn tone marks apart, a fifth of what a phone's original weighs.
_PHOTO_SIDE_PX = 2560
_MAX_AHEAD = 5
_Id = Annotated[int, Field(ge=0, le=2**63 - 1)]


class DraftsWanted(BaseModel):
    """Which drafts to fetch ahead: those after ``after``, without those in hand (``hidden``)."""

    model_config = ConfigDict(extra="forbid")

    after: _Id = 0
    count: int = Field(1, ge=1, le=_MAX_AHEAD)
    hidden: list[_Id] = Field(default_factory=list, max_length=5000)


class FieldEntry(BaseModel):
    """What a person wrote into a field: the words as cut, and the normal form where they wrote it by hand."""

    model_config = ConfigDict(extra="forbid")

    cut: str | None = Field(None, max_length=verification.MAX_TEXT_CHARS)
    value: str | None = Field(None, max_length=verification.MAX_TEXT_CHARS)


class DecisionMade(BaseModel):
    """A verdict from the page; ``fields`` holds only what was changed, ``shots`` the waiting ones that it showed."""

    model_config = ConfigDict(extra="forbid")

    record: _Id
    version: int = Field(ge=1, le=2**31 - 1)
    verdict: Verdict
    fields: dict[str, FieldEntry] = Field(default_factory=dict, max_length=50)
    shots: list[_Id] = Field(default_factory=list, max_length=1000)


class MeaningAsked(BaseModel):
    """Words as cut whose normal form is asked for, in the context of a record's photo."""

    model_config = ConfigDict(extra="forbid")

    record: _Id
    field: str = Field(max_length=40)
    cut: str = Field(max_length=verification.MAX_TEXT_CHARS)


@router.get("/verify")
def verify_next(
    request: Request,
    session: WriteSession,
    actor: Verifier,
    settings: SettingsDep,
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
) -> Response:
    """The page with the next draft."""
    drafts = _lease(session, actor, DraftsWanted(after=after, count=1), settings.review_lease_s)
    return _page(request, session, actor, drafts[0] if drafts else None)


@router.get("/verify/{record_id}")
def verify_one(
    record_id: RowId, request: Request, session: WriteSession, actor: Verifier, settings: SettingsDep
) -> Response:
    """The page with one draft, or with a record that was decided and may need another look."""
    view = verification.get_record(session, record_id)
    if view.state is RecordState.DRAFT:
        view = verification.open_draft(session, record_id, actor.name, lease_s=settings.review_lease_s)
    return _page(request, session, actor, view)


@router.post("/verify")
async def verify_plainly(request: Request, session: WriteSession, actor: Verifier) -> Response:
    """The form of a browser without scripts: decide, then show the next draft."""
    texts = texts_for(request)
    async with request.form(max_fields=100, max_part_size=100_000) as form:
        sent = {name: text for name, text in form.items() if isinstance(text, str)}
    verdict, shown = sent.get("verdict", ""), sent.get("record", "")
    record_id, version = shown, sent.get("version", "")
    if "detach" in sent:  # which names the other shot, or the one that is shown
        verdict = Verdict.DETACH
        record_id, _, version = sent["detach"].partition(".")
    if verdict == Verdict.UNDO:
        return _see_other(f"/verify/{verification.undo(session, actor.name).id}")
    if not all(text.isascii() and text.isdecimal() for text in (shown, record_id, version)):
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, texts("error.not_found"))
    if verdict == "skip":
        return _see_other("/verify?" + urlencode({"after": record_id}))
    if verdict not in set(Verdict):
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, texts("error.title"))
    view = verification.get_record(session, int(record_id))
    entries = _changed_entries(view, sent, texts) if verdict == Verdict.ACCEPT else {}
    try:
        _decide(session, actor, view, int(version), Verdict(verdict), entries, texts, _numbers(sent.get("shots", "")))
    except FieldTextError as error:
        return _page(request, session, actor, view, refusal=str(error))
    return _see_other(f"/verify/{shown}" if verdict == Verdict.DETACH else "/verify?" + urlencode({"after": shown}))


@router.post("/verify/drafts")
def drafts_ahead(
    wanted: DraftsWanted, request: Request, session: WriteSession, actor: Verifier, settings: SettingsDep
) -> dict[str, Any]:
    """The next drafts, leased to the person who asks."""
    texts = texts_for(request)
    drafts = [_shown(view, texts) for view in _lease(session, actor, wanted, settings.review_lease_s)]
    return {
        "drafts": [dataclasses.asdict(draft) for draft in drafts],
        "left": verification.count_waiting(session),
    }


@router.post("/verify/decisions")
def decide(made: DecisionMade, request: Request, session: WriteSession, actor: Verifier) -> dict[str, Any]:
    """A verdict. The same one sent again, because its answer was lost, is answered as before."""
    texts = texts_for(request)
    view = verification.get_record(session, made.record)
    entries = {name: Entry(entry.cut, entry.value) for name, entry in made.fields.items()}
    try:
        view = _decide(session, actor, view, made.version, made.verdict, entries, texts, made.shots)
    except FieldTextError as error:
        label = texts(f"field.{error.field}") if error.field in FORM_FIELDS else error.field
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{label}: {error}") from error
    except ConflictError:
        if not _is_own_echo(session, view, actor, made):
            raise
    return {"version": view.version, "title": title_of(view.fields, texts), "left": verification.count_waiting(session)}


@router.post("/verify/undo")
def undo(request: Request, session: WriteSession, actor: Verifier, settings: SettingsDep) -> dict[str, Any]:
    """Take back the person's last decision and hand them the draft again."""
    view = verification.undo(session, actor.name)
    if view.state is RecordState.DRAFT:
        view = verification.open_lead(session, view, actor.name, lease_s=settings.review_lease_s)
    return {
        "draft": dataclasses.asdict(_shown(view, texts_for(request))),
        "left": verification.count_waiting(session),
    }


@router.post("/verify/meaning")
def meaning(asked: MeaningAsked, request: Request, session: ReadSession, _actor: Verifier) -> dict[str, Any]:
    """What words as cut mean in a field, shown while they are typed."""
    texts = texts_for(request)
    if asked.field not in FORM_FIELDS:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, texts("error.no_field", field=asked.field))
    context = verification.get_record(session, asked.record).photo.context
    understood = understand(asked.field, asked.cut, context)
    return {
        "value": show_value(asked.field, understood.value, texts),
        "meaning": meaning_of(asked.field, understood.value, texts),
        "notes": [dataclasses.asdict(note) for note in notes_of(understood.flags, texts)],
        "error": "",
    }


def _lease(session: Session, actor: Actor, wanted: DraftsWanted, lease_s: float) -> list[RecordView]:
    """Free drafts after a position, then from the start: what others gave back lies behind. None twice."""
    hidden = set(wanted.hidden)
    found: list[RecordView] = []
    for start in dict.fromkeys((wanted.after, 0)):
        after_id = start
        while len(found) < wanted.count:
            view = verification.next_draft(session, actor.name, after_id=after_id, lease_s=lease_s)
            if view is None:
                break
            after_id = view.id
            if view.id not in hidden:
                hidden.add(view.id)
                found.append(view)
    return found


def _decide(
    session: Session,
    actor: Actor,
    view: RecordView,
    version: int,
    verdict: Verdict,
    entries: dict[str, Entry],
    texts: Texts,
    shots: Collection[int],
) -> RecordView:
    """Write a verdict; an acceptance with changes is a correction."""
    values = corrections(view.fields, entries, view.photo.context, texts)
    if values and verdict is Verdict.ACCEPT:
        verdict = Verdict.CORRECT
    return verification.decide(
        session, view.id, verdict, reviewer=actor.name, expected_version=version, values=values or None, shots=shots
    )


def _is_own_echo(session: Session, view: RecordView, actor: Actor, made: DecisionMade) -> bool:
    wanted = Verdict.CORRECT if made.fields and made.verdict is Verdict.ACCEPT else made.verdict
    said = verification.history(session, view.id)
    return (
        bool(said)
        and view.version == made.version + 1
        and (said[-1].version, said[-1].reviewer, said[-1].verdict) == (view.version, actor.name, wanted)
    )


def _changed_entries(view: RecordView, sent: dict[str, str], texts: Texts) -> dict[str, Entry]:
    """What a plain form changed, found by comparing with what it showed; untouched normal forms follow the words."""
    shown = _shown(view, texts)
    entries = {}
    for name in FORM_FIELDS:
        cut, value = (
            sent[key].replace("\r\n", "\n") if key in sent else None for key in (f"cut.{name}", f"value.{name}")
        )
        new_cut = cut.strip() if cut is not None and cut.strip() != shown.fields[name].cut else None
        new_value = value.strip() if value is not None and value.strip() != shown.fields[name].value else None
        if new_cut is not None or new_value is not None:
            entries[name] = Entry(new_cut, new_value)
    return entries


def _shown(view: RecordView, texts: Texts) -> ShownDraft:
    return show_draft(view, texts, lambda photo_id: f"/api/v1/photos/{photo_id}/image?size={_PHOTO_SIDE_PX}")


def _page(request: Request, session: Session, actor: Actor, view: RecordView | None, *, refusal: str = "") -> Response:
    texts = texts_for(request)
    draft = _shown(view, texts) if view is not None else None
    left = verification.count_waiting(session)
    return render(
        request,
        "verify.html",
        page="verify",
        reviewer=actor.name,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK,
        draft=draft,
        left=left,
        refusal=refusal,
        main_fields=[field_spec(name, texts) for name in MAIN_FIELDS],
        more_fields=[field_spec(name, texts) for name in MORE_FIELDS],
        page_data={
            "texts": texts.section("verify"),
            "levels": texts.section("confidence"),
            "close": texts("app.close"),
            "draft": dataclasses.asdict(draft) if draft is not None else None,
            "left": left,
        },
    )


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split() if part.isascii() and part.isdecimal()]


def _see_other(path: str) -> Response:
    return RedirectResponse(path, status_code=HTTPStatus.SEE_OTHER)
