"""What is counted for Prometheus; each name here is the name on the dashboard and in the alerts (``deploy/``).

    from ocr_service import metrics
    metrics.PHOTOS_FINISHED.labels(state=str(state)).inc()

Labels take few and known values: states, reasons, priorities, route templates. Never an id, a path or a name: each
value is a time series of its own, and metrics are read by people who may see no personal data.

A process counts for itself. Where several processes of a machine are asked as one (reading processes and their
supervisor), they share a folder: set ``PROMETHEUS_MULTIPROC_DIR``, empty at start, before any of them begins.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY, Collector

from ocr_service.errors import UsageError

# --- intake
FILES_TAKEN = Counter(
    "headstone_intake_files", "Files of batches by what became of them: received, duplicate, refused.", ["state"]
)
FILES_REFUSED = Counter("headstone_intake_refused", "Files that became no photo, by reason.", ["reason"])
BYTES_TAKEN = Counter("headstone_intake_bytes", "Bytes of photos that were stored.")

# --- reading
PHOTOS_CLAIMED = Counter("headstone_photos_claimed", "Photos leased to readers, by priority.", ["priority"])
PHOTOS_FINISHED = Counter("headstone_photos_finished", "Photos by the state in which reading left them.", ["state"])
PHOTOS_BROKEN = Counter("headstone_photos_broken", "Tries in which a photo broke its reader.")
READ_SECONDS = Histogram(
    "headstone_photo_read_seconds",
    "Seconds from the bytes of a photo to its reading.",
    # a photo costs 0.3 to 2 s on one core and is ended at photo_timeout_s (60 s)
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0),
)
CLAIMS_LOST = Counter("headstone_claims_lost", "Results thrown away because another reader had the photo meanwhile.")
READERS_RESTARTED = Counter("headstone_readers_restarted", "Reading processes that ended and were replaced.")

# --- sweeper
PHOTOS_PUBLISHED = Counter("headstone_photos_published", "Photos named in messages, by priority.", ["priority"])
PUBLISH_FAILED = Counter("headstone_publish_failed", "Messages that the broker did not take.")
LEASES_EXPIRED = Counter("headstone_leases_expired", "Photos taken back from readers that fell silent.")
SWEEPS = Counter("headstone_sweeps", "Rounds of the sweeper; it stands still where this does.")

# --- verification
DECISIONS = Counter("headstone_decisions", "What people decided, by verdict.", ["verdict"])

# --- HTTP
HTTP_SECONDS = Histogram(
    "headstone_http_request_seconds",
    "Seconds from request to the end of its answer.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)


def registry(*more: Collector) -> CollectorRegistry:
    """What this process, or with ``PROMETHEUS_MULTIPROC_DIR`` its whole family, has counted, and ``more``."""
    if more or "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        asked = CollectorRegistry()
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            MultiProcessCollector(asked)  # type: ignore[no-untyped-call]
        else:
            asked.register(REGISTRY)
        for collector in more:
            asked.register(collector)
        return asked
    return REGISTRY


def expose(host: str, port: int, *more: Collector) -> None:
    """Answer ``/metrics`` on a port of its own, in a background thread, without asking who asks: keep it inside.

    Raises ``UsageError`` where the port is taken.
    """
    try:
        start_http_server(port, addr=host, registry=registry(*more))
    except OSError as error:
        raise UsageError(
            f"cannot serve metrics on {host}:{port}: {error.strerror}; choose another port in HEADSTONE_METRICS_PORT"
        ) from error
