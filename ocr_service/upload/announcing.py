"""What the server is told of files before their bytes go: what is to come, with what facts, and what will not come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ocr_service.states import FileState
from ocr_service.upload.columns import FileFacts
from ocr_service.upload.journal import Entry
from ocr_service.upload.sending import Shipment, as_answered
from ocr_service.upload.server import MAX_ANNOUNCED
from ocr_service.upload.tally import Phase

_NOTHING = FileFacts()


def announce_all(shipment: Shipment) -> None:
    """Announce every file that was not yet: from then on, the server's accounts know what is still to come."""
    _announce(shipment, [entry for entry in shipment.pending() if entry.state is None])


def announce_anew(shipment: Shipment) -> None:
    """Announce again what the manifest says otherwise than before, and what was refused: limits may have been raised.

    The server corrects what has not come and says of the rest that it came too late.
    """
    anew = [
        entry
        for path in shipment.files
        if path not in shipment.troubles
        and (entry := shipment.journal.entries.get(path))
        and (entry.state is FileState.REFUSED or (entry.state and _says_otherwise(entry, shipment.facts)))
    ]
    _announce(shipment, anew)


def withdraw_replaced(shipment: Shipment) -> None:
    """Take back what was announced of files that have other bytes by now."""
    replaced = shipment.journal.replaced()
    for at in range(0, len(replaced), MAX_ANNOUNCED):
        shipment.server.withdraw(shipment.batch_id, replaced[at : at + MAX_ANNOUNCED])
    shipment.journal.forget_replaced()


def withdraw_missing(shipment: Shipment, entries: Sequence[Entry]) -> None:
    """Take back what was announced of files that are gone."""
    for at in range(0, len(entries), MAX_ANNOUNCED):
        some = entries[at : at + MAX_ANNOUNCED]
        answers = shipment.server.withdraw(shipment.batch_id, [(entry.path, entry.sha256) for entry in some])
        said = {(answer.path, answer.sha256): answer for answer in answers}
        shipment.journal.note(
            [
                as_answered(entry, answer)
                if (answer := said.get((entry.path, entry.sha256))) is not None
                else replace(entry, state=None)
                for entry in some
            ]
        )


def _announce(shipment: Shipment, entries: Sequence[Entry]) -> None:
    shipment.tally.begin(Phase.ANNOUNCING, files=len(entries))
    for at in range(0, len(entries), MAX_ANNOUNCED):
        shipment.announce(entries[at : at + MAX_ANNOUNCED])
        shipment.tally.done(files=len(entries[at : at + MAX_ANNOUNCED]))


def _says_otherwise(entry: Entry, facts: Mapping[str, FileFacts]) -> bool:
    return bool(facts) and json.loads(entry.told or "{}") != facts.get(entry.path, _NOTHING).to_json()
