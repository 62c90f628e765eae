"""The Celery application of the workers: ``python -m workers``, or ``celery --app workers.app worker``.

Importing it needs neither settings nor a broker; both are looked for when it starts.
"""

from __future__ import annotations

from typing import Any, ClassVar

from celery import Celery
from celery.worker.consumer import Consumer

from ocr_service.outbox import celery_config
from ocr_service.settings import Settings, load_settings


class ConsumerOfHints(Consumer):  # type: ignore[misc]
    """Celery's consumer without delayed delivery, which nothing here asks for and which declares 28 queues a broker."""

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc]
        """Its steps."""

        default_steps: ClassVar[list[str]] = [
            step for step in Consumer.Blueprint.default_steps if "DelayedDelivery" not in step
        ]


app = Celery("headstone", include=["workers.tasks"], set_as_current=False)
app.add_defaults(lambda: worker_config(load_settings()))


def worker_config(settings: Settings) -> dict[str, Any]:
    """Celery's configuration in a worker. Raises ``UsageError`` where no broker is named."""
    return {**celery_config(settings), "worker_consumer": f"{__name__}:{ConsumerOfHints.__name__}"}
