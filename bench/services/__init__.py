"""Servers of one's own to measure and to kill: PostgreSQL, RabbitMQ and an S3 store, on loopback.

Tests and ``bench.soak`` start them, so that they can be ended by SIGKILL at any moment and started again on the same
ports and the same folder.
"""

from __future__ import annotations

from bench.services.postgresql import PostgreSQL
from bench.services.process import Service
from bench.services.rabbitmq import RabbitMQ
from bench.services.weed import Weed

__all__ = ["PostgreSQL", "RabbitMQ", "Service", "Weed"]
