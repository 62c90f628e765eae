from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kombu import Connection
from pydantic import SecretStr

from bench.services import RabbitMQ
from ocr_service.errors import BrokerError, UsageError
from ocr_service.outbox import DEAD_LETTERS, QUEUE_NAMES, READ_PHOTOS, Outbox, celery_config
from ocr_service.settings import Settings
from ocr_service.states import Priority


def settings_for(url: str) -> Settings:
    return Settings(broker_url=SecretStr(url))


@pytest.fixture
def outbox(rabbitmq: RabbitMQ) -> Iterator[Outbox]:
    """An outbox whose queues are empty at first."""
    outbox = Outbox(settings_for(rabbitmq.url))
    outbox.count_messages()
    with Connection(rabbitmq.url) as connection:
        for name in QUEUE_NAMES.values():
            connection.default_channel.queue_purge(name)
    yield outbox
    outbox.close()


def test_importing_the_celery_application_needs_no_broker_and_no_settings() -> None:
    checked = "import workers.app, workers.tasks; print(workers.app.app.main)"
    environment = {"HEADSTONE_PORT": "this is no port"}
    said = subprocess.run([sys.executable, "-c", checked], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "headstone"


def test_without_a_broker_one_line_says_what_to_set() -> None:
    with pytest.raises(UsageError, match="HEADSTONE_BROKER_URL"):
        celery_config(Settings(broker_url=None))


def test_a_broker_that_is_away_is_an_error_of_ours_that_names_no_password() -> None:
    with pytest.raises(BrokerError) as failed:
        Outbox(settings_for("amqp://headstone:very-secret@127.0.0.1:9//")).publish(Priority.BULK, [1])
    assert "very-secret" not in str(failed.value)


def test_photos_of_people_who_wait_go_in_small_messages_and_those_of_a_cemetery_in_large_ones() -> None:
    outbox = Outbox(settings_for("amqp://nowhere//"))
    assert [len(chunk) for chunk in outbox.chunks(Priority.BULK, range(150))] == [64, 64, 22]
    assert [len(chunk) for chunk in outbox.chunks(Priority.WAITING, range(20))] == [8, 8, 4]
    assert outbox.chunks(Priority.BULK, []) == []


def test_on_redis_queues_are_plain_and_messages_stay_invisible_for_long() -> None:
    config = celery_config(settings_for("redis://127.0.0.1/0"))
    assert all(queue.queue_arguments is None for queue in config["task_queues"])
    assert config["broker_transport_options"]["visibility_timeout"] > 3600


def test_messages_are_json_and_go_to_the_queue_of_their_priority(outbox: Outbox, rabbitmq: RabbitMQ) -> None:
    outbox.publish(Priority.WAITING, [7, 8])
    outbox.publish(Priority.BULK, range(3))
    assert outbox.count_messages() == 2
    with Connection(rabbitmq.url) as connection:
        channel = connection.default_channel
        message = channel.basic_get(QUEUE_NAMES[Priority.WAITING])
        assert message.properties["content_type"] == "application/json"
        assert message.properties["delivery_mode"] == 2
        assert message.headers["task"] == READ_PHOTOS
        assert json.loads(message.body)[0] == [[7, 8]]
        bulk = channel.basic_get(QUEUE_NAMES[Priority.BULK])
        assert json.loads(bulk.body)[0] == [[0, 1, 2]]


def test_a_message_that_is_delivered_too_often_ends_among_the_dead_letters(outbox: Outbox, rabbitmq: RabbitMQ) -> None:
    outbox.publish(Priority.BULK, [99])
    name = QUEUE_NAMES[Priority.BULK]
    with Connection(rabbitmq.url) as connection:
        channel = connection.default_channel
        channel.queue_purge(DEAD_LETTERS)
        deliveries = 0
        while (message := _next(channel.basic_get, name)) is not None and deliveries < 100:
            deliveries += 1
            channel.basic_reject(message.delivery_tag, requeue=True)
        assert 10 < deliveries < 100
        dead = _next(channel.basic_get, DEAD_LETTERS)
        assert dead is not None
        assert json.loads(dead.body)[0] == [[99]]


def _next(get: Callable[[str], Any], queue: str) -> Any:
    """The next message; a quorum queue gives back what was rejected a moment later."""
    for _ in range(20):
        if (message := get(queue)) is not None:
            return message
        time.sleep(0.02)
    return None


def test_a_connection_that_broke_is_an_error_once_and_then_another_is_opened(outbox: Outbox) -> None:
    outbox.publish(Priority.BULK, [1])
    outbox._connection.connection.transport.sock.shutdown(socket.SHUT_RDWR)
    with pytest.raises(BrokerError):
        outbox.publish(Priority.BULK, [2])
    outbox.publish(Priority.BULK, [3])
    assert outbox.count_messages() == 2
