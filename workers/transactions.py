"""Transactions that outlive a database that is away for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from ocr_service.database import Database

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

_RETRY_S = 1.0
_TRIES_WHILE_IT_ANSWERS = 3


class Refused(Exception):  # noqa: N818 - what the database said, not a fault of ours
    """The database answers and does not take this; trying again would not help."""


def in_transaction(database: Database, work: Callable[[Session], Result]) -> Result:
    """Give what ``work`` gives in one transaction; again and again while the database is away.

    ``work`` may be carried out more than once, also where an answer to its commit was lost: tokens and states make
    that harmless. Raises ``Refused`` for what will never be taken.
    """
    tries = 0
    while True:
        try:
            with database.writing() as session:
                return work(session)
        except (SQLAlchemyError, ValueError, TypeError) as error:  # the two: what no column or document can hold
            if not is_away(error):
                raise Refused(_in_a_line(error)) from error
            log.error("the database does not answer", error=_in_a_line(error))
            tries = tries + 1 if answers(database) else 0
            if tries >= _TRIES_WHILE_IT_ANSWERS:
                raise Refused(_in_a_line(error)) from error
        time.sleep(_RETRY_S)


def is_away(error: Exception) -> bool:
    """Whether this is about the connection (or a lock), not about what was asked."""
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or isinstance(error, OperationalError | InterfaceError | PoolTimeoutError)


def answers(database: Database) -> bool:
    """Whether the database answers at all."""
    try:
        with database.reading() as session:
            session.execute(select(1))
    except SQLAlchemyError:
        return False
    return True


def _in_a_line(error: Exception) -> str:
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {str(cause).strip().splitlines()[0] if str(cause).strip() else ''}"[:300]
