"""Logs of every process: one JSON object a line on standard error, with what was bound to the request or photo.

No log line carries personal data: ids, states and routes, never a name, a query string, a file name or a key.
"""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Set up structlog and the standard library's logging, which libraries use, to write the same lines."""
    end: tuple[Processor, ...] = (
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    )
    structlog.configure(
        processors=[*_SHARED, *end],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,  # tests and command lines set it up more than once
    )
    handler = logging.StreamHandler(sys.stderr)
    formatter = ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.add_logger_name],
        processors=[ProcessorFormatter.remove_processors_meta, *end],
    )
    handler.setFormatter(formatter)
    # a library's chatter is its own matter; its warnings are ours
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


def level_for_people() -> int:
    """Only warnings where a person looks at the terminal, everything where a collector of logs reads."""
    return logging.WARNING if sys.stderr.isatty() else logging.INFO
