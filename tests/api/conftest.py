"""The application over a fresh store, seen from this machine's own pages; and a real browser to see it with."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from ocr_service.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ORIGIN = "http://127.0.0.1:8000"
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

Serve = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", reviewer="lan", max_file_bytes=200_000, max_files_per_request=5)


@pytest.fixture
def app(settings: Settings) -> Iterator[FastAPI]:
    app = create_app(settings)
    yield app
    app.state.database.close()


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """A browser on this machine that shows our own pages."""
    return TestClient(app, base_url=ORIGIN, client=("127.0.0.1", 50_000), headers={"Origin": ORIGIN})


@pytest.fixture(scope="module")  # no longer: while it lives, no other test of this process can run an event loop
def browser() -> Iterator[Browser]:
    # most tests of the API need no browser, and its library takes a while to import
    from playwright.sync_api import sync_playwright

    if not CHROMIUM.exists():
        if os.environ.get("CI"):
            pytest.fail(f"CI has to have Chromium at {CHROMIUM}: apt-get install chromium")
        pytest.skip(f"no Chromium at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a fresh profile; anything that the browser complains about fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    # the browser itself reports every answer of 4xx, also those that the page expects and explains
    assert [text for text in complaints if "Failed to load resource" not in text] == []


@pytest.fixture
def serving_here() -> Serve:
    """Serves a data folder from a thread of this process, which starts in a moment; gives the address."""

    @contextmanager
    def serve(data_dir: Path, **settings: Any) -> Iterator[str]:
        app = create_app(Settings(data_dir=data_dir, reviewer="lan", **settings))
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", proxy_headers=False, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)

    return serve
