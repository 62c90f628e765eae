"""Checks of what the service talks to: database, object store, broker."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ocr_service.database import Database, connect_database
from ocr_service.database.revision import current_revision, needed_revision
from ocr_service.database.types import utc_now
from ocr_service.errors import HeadstoneError
from ocr_service.operations.findings import Finding, Health, broken, warning, well
from ocr_service.outbox import Outbox
from ocr_service.settings import Settings
from ocr_service.storage import ObjectStore

MOST_SKEW_S = 5.0
"""Leases are compared by the clocks of workers; 300 s of lease forgive a few seconds, not minutes."""

_PROBE = b"what headstone doctor puts into the store to see whether it comes back\n"


def check_database(settings: Settings) -> list[Finding]:
    """The database answers, has the schema of this version, takes writes, and its clock is ours."""
    url = settings.resolved_database_url
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).exists():
            return [warning("database", f"{parsed.database} is not there yet", "the first start makes it")]
        database = connect_database(url)
    except (SQLAlchemyError, ImportError) as error:
        fix = "write HEADSTONE_DATABASE_URL as postgresql+psycopg://USER:PASSWORD@HOST/NAME"
        return [broken("database", f"cannot be opened ({type(error).__name__})", fix)]
    try:
        with database.reading() as session:
            found = [_schema(session), _clock(session)]
        return found if found[0].health is not Health.OK else [*found, _writes(database)]
    except SQLAlchemyError as error:
        seen = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
        return [broken("database", seen, "start it, and look at HEADSTONE_DATABASE_URL: host, user, password, name")]
    finally:
        database.close()


def _schema(session: Session) -> Finding:
    current, needed = current_revision(session), needed_revision(session)
    kind = session.get_bind().dialect.name
    if current is None:
        return warning("database", f"{kind}: no tables yet", "headstone migrate makes them, as the first start does")
    if current < needed:
        return broken(
            "database", f"{kind}: revision {current}, {needed} is needed", "back it up, then headstone migrate"
        )
    if current > needed:
        seen = f"{kind}: revision {current} is newer than {needed}"
        return broken("database", seen, "use the newer version of the service")
    return well("database", f"{kind}: revision {current}")


def _clock(session: Session) -> Finding:
    if session.get_bind().dialect.name == "sqlite":
        return well("clock", "the database has none of its own")
    theirs: datetime = session.scalars(select(func.clock_timestamp())).one()
    skew_s = abs((utc_now() - theirs).total_seconds())
    seen = f"{skew_s:.1f} s beside the database's"
    if skew_s > MOST_SKEW_S:
        return broken("clock", seen, "switch on time synchronisation (chrony, systemd-timesyncd) on both machines")
    return well("clock", seen)


def _writes(database: Database) -> Finding:
    with database.engine.connect() as connection, connection.begin() as transaction:
        # takes the write lock and the right to write, and changes nothing
        connection.execute(text("UPDATE audit_head SET length = length"))
        transaction.rollback()
    return well("database", "takes writes")


def check_store(open_store: Callable[[], ObjectStore]) -> Finding:
    """The store takes an object, gives it back and lets go of it; an empty one is made ready first, as a start does."""
    started = time.perf_counter()
    try:
        store = open_store()
        store.prepare()
        incoming = store.incoming()
        incoming.write(_PROBE)
        stored = incoming.finish()
        same = store.read(stored.sha256) == _PROBE
        store.set_aside(stored.sha256)
        store.delete_aside(stored.sha256)
    except HeadstoneError as error:
        return broken(
            "store", str(error), "make room, start the store, or look at HEADSTONE_DATA_DIR and HEADSTONE_S3_…"
        )
    if not same:
        return broken("store", "gives back other bytes than it was given", "replace the disk or the store")
    return well("store", f"takes, gives back and lets go of objects, {(time.perf_counter() - started) * 1000:.0f} ms")


def check_broker(settings: Settings) -> Finding:
    """The broker, where one is used, answers and has its queues; they are declared as a worker does it."""
    if settings.broker_url is None:
        return well("broker", "none: readers look for themselves what waits")
    try:
        outbox = Outbox(settings)
        try:
            waiting = outbox.count_messages()
        finally:
            outbox.close()
    except HeadstoneError as error:
        # the reason stands behind; the URL, which has a password, in neither
        fix = "start it, and look at HEADSTONE_BROKER_URL: amqp://USER:PASSWORD@HOST:5672//"
        return broken("broker", str(error).splitlines()[0], fix)
    return well("broker", f"{waiting} messages wait")
