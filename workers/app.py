"""The Celery application of the workers: ``python -m workers``, or ``celery --app workers.app worker``.

Importing it needs neither settings nor a broker; both are looked for when it starts.
"""

from __future__ import annotations

from celery import Celery

from ocr_service.outbox import celery_config
from ocr_service.settings import load_settings

app = Celery("headstone", include=["workers.tasks"], set_as_current=False)
app.add_defaults(lambda: celery_config(load_settings()))
