"""Messages that say which photos wait. A message is a hint; the row of the photo is the truth.

Only the sweeper sends them. Two queues, one for each ``Priority``, so that some workers may serve people alone. On
RabbitMQ they are quorum queues: they survive the kill of a node, and what is delivered again and again (a worker that
dies of its message) ends in a queue of dead letters, as evidence; its photos are named anew by the sweeper. On Redis a
message can get lost with the worker that took it: then too its photos are named anew, after ``queue_stale_s``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import kombu as untyped_kombu
from celery import Celery
from kombu.exceptions import KombuError

from ocr_service.errors import BrokerError, UsageError
from ocr_service.settings import Settings
from ocr_service.states import Priority

kombu: Any = untyped_kombu  # its annotations are half done and would have to be silenced line by line

QUEUE_NAMES: Mapping[Priority, str] = MappingProxyType(
    {Priority.WAITING: "headstone.waiting", Priority.BULK: "headstone.bulk"}
)
DEAD_LETTERS = "headstone.dead"
READ_PHOTOS = "workers.tasks.read_photos"

_DELIVERY_LIMIT = 20  # RabbitMQ 4's own default; a worker that is killed while it holds a message counts one
_DEAD_LETTERS_KEPT = 10_000
_WAITING_CHUNK = 8  # few a message, so that the photos of one person are read by several workers at once
_ANSWER_S = 10.0  # a broker that is longer silent is away
_REDIS_VISIBILITY_S = 6 * 3600  # a message that takes longer is delivered twice


def celery_app(settings: Settings) -> Celery:
    """A Celery application that sends and takes these messages. Raises ``UsageError`` without a broker."""
    app = Celery("headstone", set_as_current=False)
    app.conf.update(celery_config(settings))
    return app


def celery_config(settings: Settings) -> dict[str, Any]:
    """Celery's configuration. Raises ``UsageError`` where no broker is named."""
    if settings.broker_url is None:
        raise UsageError("no broker is named; set HEADSTONE_BROKER_URL, for example amqp://user:password@host//")
    url = settings.broker_url.get_secret_value()
    on_rabbitmq = is_rabbitmq(url)
    return {
        "broker_url": url,
        "broker_transport_options": (
            {"confirm_publish": True} if on_rabbitmq else {"visibility_timeout": _REDIS_VISIBILITY_S}
        ),
        "broker_connection_timeout": _ANSWER_S,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_heartbeat": 30,
        "task_queues": queues(durable_quorum=on_rabbitmq),
        "task_default_queue": QUEUE_NAMES[Priority.BULK],
        "task_create_missing_queues": False,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        # what a killed worker held goes back to the queue; what breaks the task itself becomes a dead letter
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_acks_on_failure_or_timeout": False,
        # tasks wait in threads for reading processes: the main thread stays free for heartbeats, whatever readers do;
        # one thread more than there are processes has the next message ready
        "worker_pool": "threads",
        "worker_concurrency": settings.worker_processes + 1,
        "worker_prefetch_multiplier": 1,
        "worker_enable_prefetch_count_reduction": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_enable_remote_control": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
    }


def queues(*, durable_quorum: bool) -> list[Any]:
    """The two queues of photos and, on RabbitMQ, that of dead letters; the worker and the sweeper declare them."""
    if not durable_quorum:
        return [kombu.Queue(name, kombu.Exchange(name), routing_key=name) for name in QUEUE_NAMES.values()]
    quorum = {"x-queue-type": "quorum"}
    limits = {"x-delivery-limit": _DELIVERY_LIMIT, "x-dead-letter-exchange": DEAD_LETTERS}
    names = QUEUE_NAMES.values()
    return [
        kombu.Queue(name, kombu.Exchange(name), routing_key=name, queue_arguments=quorum | limits) for name in names
    ]


def dead_letters() -> Any:
    """Where messages end that were delivered too often; bounded, the oldest go first."""
    arguments = {"x-queue-type": "quorum", "x-max-length": _DEAD_LETTERS_KEPT, "x-overflow": "drop-head"}
    return kombu.Queue(DEAD_LETTERS, kombu.Exchange(DEAD_LETTERS, type="fanout"), queue_arguments=arguments)


class Outbox:
    """Sends messages, each confirmed by the broker before the call returns. For one thread."""

    def __init__(self, settings: Settings) -> None:
        self._app = celery_app(settings)
        self._chunk = {
            Priority.WAITING: min(_WAITING_CHUNK, settings.publish_chunk),
            Priority.BULK: settings.publish_chunk,
        }
        self._connection: Any = None

    def chunks(self, priority: Priority, ids: Sequence[int]) -> list[Sequence[int]]:
        """Ids of photos, message by message."""
        size = self._chunk[priority]
        return [ids[start : start + size] for start in range(0, len(ids), size)]

    def count_messages(self) -> int:
        """How many messages wait that no worker holds. Raises ``BrokerError``."""
        with self._connected() as connection:
            return sum(
                queue.bind(connection.default_channel).queue_declare().message_count
                for queue in self._app.amqp.queues.values()
            )

    def publish(self, priority: Priority, ids: Sequence[int]) -> None:
        """Send one message that names these photos. Raises ``BrokerError`` where it may not have arrived."""
        with self._connected() as connection:
            self._app.send_task(
                READ_PHOTOS,
                args=[list(ids)],
                queue=QUEUE_NAMES[priority],
                producer=connection.Producer(auto_declare=False),
                confirm_timeout=_ANSWER_S,
                retry=False,
            )

    def close(self) -> None:
        """Let the connection go; the next call opens another."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.release()

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        try:
            if self._connection is None:
                self._connection = self._connect()
            yield self._connection
        except Exception as error:
            if not isinstance(error, (OSError, KombuError, *_errors_of(self._connection))):
                raise
            with contextlib.suppress(Exception):  # it is broken already; closing it in order may fail as well
                self.close()
            raise BrokerError(f"the broker does not take messages: {error or type(error).__name__}") from error

    def _connect(self) -> Any:
        url = self._app.conf.broker_url
        options = {"read_timeout": _ANSWER_S, "write_timeout": _ANSWER_S} if is_rabbitmq(url) else {}
        connection = self._app.connection_for_write(heartbeat=0, transport_options=options)
        self._connection = connection  # so that it is released also where what follows fails
        connection.connect()
        declared = [*self._app.amqp.queues.values(), *([dead_letters()] if is_rabbitmq(url) else [])]
        for queue in declared:
            queue.bind(connection.default_channel).declare()
        return connection


def is_rabbitmq(url: str) -> bool:
    """Whether a broker URL means RabbitMQ (AMQP 0-9-1)."""
    return url.startswith(("amqp", "pyamqp"))


def _errors_of(connection: Any) -> tuple[type[Exception], ...]:
    return () if connection is None else (*connection.connection_errors, *connection.channel_errors)
