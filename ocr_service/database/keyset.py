"""Pages of a group of rows (those of a state or a batch) in the order of their ids, read from an index over both.

Asked for ``state = 'draft' AND id > 5 ORDER BY id``, PostgreSQL may go through all rows in the order of ids and pass by
those of other states, as if a state's rows stood everywhere. Where they all stand at the end it passes by millions. In
the order of group and id, between two ends of that order, only the index over both will do. SQLite takes that index
for the plain question, and for the other one only the half of it.
"""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import Select, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

_Query = TypeVar("_Query", bound=Select[*tuple[Any, ...]])
_Column = InstrumentedAttribute[Any]


def later(session: Session, query: _Query, group: _Column, value: object, row_id: _Column, after_id: int) -> _Query:
    """Rows of a group after one of them, the oldest first."""
    if _is_sqlite(session):
        return query.where(group == value, row_id > after_id).order_by(row_id)
    of_group = literal(value, group.type)
    after = tuple_(group, row_id) > tuple_(of_group, literal(after_id, row_id.type))
    return query.where(after, group <= of_group).order_by(group, row_id)


def earlier(
    session: Session, query: _Query, group: _Column, value: object, row_id: _Column, before_id: int | None
) -> _Query:
    """Rows of a group before one of them, or all of them, the newest first."""
    if _is_sqlite(session):
        query = query.where(group == value).order_by(row_id.desc())
        return query if before_id is None else query.where(row_id < before_id)
    of_group = literal(value, group.type)
    end = group <= of_group
    if before_id is not None:
        end = tuple_(group, row_id) < tuple_(of_group, literal(before_id, row_id.type))
    return query.where(group >= of_group, end).order_by(group.desc(), row_id.desc())


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
