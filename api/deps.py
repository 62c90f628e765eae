"""What routes are given: services of the process, a transaction, the person who asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from api.access import Actor, require
from api.keys import Role
from api.settling import Settler
from ocr_service.database import Database
from ocr_service.settings import Settings
from ocr_service.storage import ObjectStore


async def get_settings(request: Request) -> Settings:
    """Settings of this process."""
    return cast(Settings, request.app.state.settings)


async def get_database(request: Request) -> Database:
    """The database of this process."""
    return cast(Database, request.app.state.database)


async def get_store(request: Request) -> ObjectStore:
    """The object store of this process."""
    return cast(ObjectStore, request.app.state.store)


async def get_settler(request: Request) -> Settler:
    """What notes deliveries in this process."""
    return cast(Settler, request.app.state.settler)


def _writing(database: Annotated[Database, Depends(get_database)]) -> Iterator[Session]:
    with database.writing() as session:
        yield session


def _reading(database: Annotated[Database, Depends(get_database)]) -> Iterator[Session]:
    with database.reading() as session:
        yield session


SettingsDep = Annotated[Settings, Depends(get_settings)]
DatabaseDep = Annotated[Database, Depends(get_database)]
StoreDep = Annotated[ObjectStore, Depends(get_store)]
SettlerDep = Annotated[Settler, Depends(get_settler)]

# scope "function": the transaction is committed before the answer leaves, so what was answered is what holds
WriteSession = Annotated[Session, Depends(_writing, scope="function")]
ReadSession = Annotated[Session, Depends(_reading, scope="function")]

Collector = Annotated[Actor, Depends(require(Role.COLLECTOR))]
Verifier = Annotated[Actor, Depends(require(Role.VERIFIER))]
Staff = Annotated[Actor, Depends(require(Role.COLLECTOR, Role.VERIFIER))]
Portal = Annotated[Actor, Depends(require(Role.PORTAL, Role.VERIFIER))]
Anybody = Annotated[Actor, Depends(require(Role.COLLECTOR, Role.VERIFIER, Role.PORTAL))]
Monitor = Annotated[Actor, Depends(require(Role.METRICS))]
Anyone = Annotated[Actor, Depends(require(*Role))]
