"""Servers for the tests that need them: real ones, on loopback, with ports and folders of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from bench.services import PostgreSQL, RabbitMQ, Service, Weed


def must_be_there(service: type[Service]) -> None:
    """End the test where the server is not installed: skipped on a person's machine, failed under CI."""
    if problem := service.missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(problem)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """One server for all tests: make a database of your own in it and do not kill it."""
    must_be_there(PostgreSQL)
    with PostgreSQL(durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def weed() -> Iterator[Weed]:
    """One S3 store for all tests: make a bucket of your own in it and do not kill it."""
    must_be_there(Weed)
    with Weed() as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ]:
    """One broker for all tests: name queues of your own in it and do not kill it."""
    must_be_there(RabbitMQ)
    with RabbitMQ() as server:
        yield server


@pytest.fixture
def own_service() -> Iterator[Callable[..., Any]]:
    """Starts a server that only this test knows, to be killed: ``own_service(Weed)``."""
    with ExitStack() as stack:

        def start(service: type[Service], **given: Any) -> Service:
            must_be_there(service)
            return stack.enter_context(service(**given))

        yield start
