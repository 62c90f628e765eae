"""Serves pages and API with the embedded reader beside them: ``python -m api.serve --data DIR --port 8000``.

The reader is a process of its own (``workers.embedded``), so a photo that kills it does not take the pages along. It is
started again when it ends, and ends by itself when this process is gone, however it went.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import structlog
import uvicorn

from api.app import create_app
from ocr_service import metrics
from ocr_service.errors import HeadstoneError, UsageError
from ocr_service.operations.logs import level_for_people, log_to_stderr
from ocr_service.settings import Settings, load_settings

log = structlog.get_logger(__name__)

_RESTART_DELAY_S = 2.0
_STOP_S = 70.0  # a reader may finish its photo first


class ReaderBeside:
    """The embedded reader as a child process, kept alive until ``stop``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._process = self._start()
        self._watch = threading.Thread(target=self._keep_alive, daemon=True, name="reader-watch")
        self._watch.start()

    def stop(self) -> None:
        """End the reader and wait for it."""
        self._stopping.set()
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _start(self) -> subprocess.Popen[bytes]:
        settings = self._settings
        # -P: the working folder is no place to look for modules
        command = [sys.executable, "-P", "-m", "workers.embedded", "--parent", str(os.getpid())]
        command += ["--data", str(settings.data_dir), "--processes", str(settings.worker_processes)]
        command += ["--profile", settings.profile, "--engine", settings.engine]
        for option, value in (("--bundle", settings.bundle), ("--device", settings.device)):
            command += [option, value] if value else []
        # A Ctrl-C that comes while the reader is still loading its modules waits until it can stop in good order.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - our own module
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _keep_alive(self) -> None:
        while not self._stopping.is_set():
            code = self._process.wait()
            if self._stopping.wait(_RESTART_DELAY_S):
                return
            log.error("the reader ended and is started again", exit_code=code)
            self._process = self._start()


def _listen(settings: Settings) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return socket.create_server((settings.host, settings.port), family=family, backlog=256)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}; choose another with --port"
        ) from error


def serve(settings: Settings, *, with_reader: bool = True) -> None:
    """Serve until SIGINT or SIGTERM. Raises ``HeadstoneError`` where it cannot start."""
    log_to_stderr(level_for_people())
    app = create_app(settings)
    listening = _listen(settings)
    if settings.metrics_port is not None:
        metrics.expose(settings.metrics_host, settings.metrics_port, app.state.backlog_collector)
    port = listening.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    config = uvicorn.Config(
        app,
        # who connects is judged by the connection itself; a proxy's word would let anybody pretend to be this machine
        proxy_headers=False,
        server_header=False,
        log_config=None,  # ours; requests are logged by api.observer
        access_log=False,
        timeout_graceful_shutdown=10,
    )
    server = uvicorn.Server(config)

    def stop(*_: object) -> None:
        server.should_exit = True

    # our own handlers: uvicorn raises the signal again after its graceful stop, which would skip the reader's
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    reader = ReaderBeside(settings) if with_reader else None
    sys.stdout.write(f"Serving on http://{host}:{port}/ (Ctrl-C stops)\n")
    sys.stdout.flush()
    try:
        server.run(sockets=[listening])
    finally:
        if reader is not None:
            reader.stop()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve; exit code 0 after a stop by signal, 2 where it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m api.serve", description="Serve pages and API.")
    parser.add_argument("--data", type=Path, help="data folder; default: HEADSTONE_DATA_DIR or ./headstone-data")
    parser.add_argument("--host", help="address to listen on; anything but loopback needs API keys")
    parser.add_argument("--port", type=int, help="0 takes any free one")
    parser.add_argument("--processes", type=int, help="how many photos are read at once")
    parser.add_argument("--bundle", help="model bundle; default: the newest one that ships")
    parser.add_argument("--no-reader", action="store_true", help="serve only; photos are read elsewhere or later")
    chosen = parser.parse_args(arguments)
    given = {
        "data_dir": chosen.data,
        "host": chosen.host,
        "port": chosen.port,
        "worker_processes": chosen.processes,
        "bundle": chosen.bundle,
    }
    try:
        settings = load_settings(**given)
        serve(settings, with_reader=not chosen.no_reader)
    except HeadstoneError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
