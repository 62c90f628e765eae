"""``headstone serve``: verification pages, API and a reader in the background."""

from __future__ import annotations

import importlib
import socket
from pathlib import Path
from typing import Annotated, Any

import typer

from ocr_service.cli.options import BundleOption, DeviceOption, EngineOption, ProfileOption
from ocr_service.errors import UsageError
from ocr_service.settings import load_settings


def check_port(host: str, port: int) -> None:
    """Raise UsageError when somebody listens there already."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise UsageError(f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port") from error


def run_service(**options: Any) -> None:
    """Serve until interrupted; options that are None keep what the environment or the defaults say.

    Raises HeadstoneError where the service cannot start, or its reader could not.
    """
    from ocr_service.reading import check_reader

    settings = load_settings(**options)
    check_reader(settings.bundle, profile=settings.profile, engine=settings.engine)
    # The service stands above this package in the house and is only reached from the command line: by name, at the end.
    service = importlib.import_module("api.serve")
    service.serve(settings)


def serve(
    data: Annotated[
        Path | None,
        typer.Option(
            help="Data folder; created when it does not exist.", show_default="HEADSTONE_DATA_DIR, headstone-data"
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on. Others than loopback need API keys.", show_default="127.0.0.1"),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0 takes any free one.", show_default="8000")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, max=64, help="How many photos are read at once.", show_default="1")
    ] = None,
    bundle: BundleOption = None,
    profile: ProfileOption = None,
    engine: EngineOption = None,
    device: DeviceOption = None,
) -> None:
    """Serve upload, verification pages and the API, and read what is uploaded in the background.

    On loopback the person at this machine is trusted as the reviewer. On any other address every request needs an API
    key: name their file in `HEADSTONE_API_KEYS_FILE`. Every setting can also be given as `HEADSTONE_…` variable.

    Example: `headstone serve --data records/`
    """
    run_service(
        data_dir=data,
        host=host,
        port=port,
        worker_processes=processes,
        bundle=bundle,
        profile=profile,
        engine=engine,
        device=device,
    )
