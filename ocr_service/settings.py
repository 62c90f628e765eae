"""Settings come from ``HEADSTONE_*`` environment variables or from the entry point, are built once, and are frozen.

Those that are secret come from files as well, as orchestrators mount them: ``/run/secrets/headstone_database_url``, or
the same name in the folder that ``HEADSTONE_SECRETS_DIR`` names. A variable wins over a file.
"""

from __future__ import annotations

import getpass
import ipaddress
import os
from pathlib import Path
from typing import Any

from pydantic import Field, FilePath, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.choices import DEFAULT_ENGINE, DEFAULT_PROFILE, Device, EngineName
from ocr_service.errors import UsageError

_SECRETS_DIR = Path(os.environ.get("HEADSTONE_SECRETS_DIR", "/run/secrets"))


def _login_name() -> str:
    """The OS user; containers without a passwd entry have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "local"


class Settings(BaseSettings):
    """Everything that can be set from outside. Sizes in bytes, times in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="HEADSTONE_",
        frozen=True,
        extra="ignore",
        secrets_dir=_SECRETS_DIR if _SECRETS_DIR.is_dir() else None,
    )

    data_dir: Path = Field(
        default=Path("headstone-data"), description="Folder of the embedded store: database and photos."
    )
    database_url: str | None = Field(default=None, description="SQLAlchemy URL; default: SQLite in the data folder.")
    host: str = Field(default="127.0.0.1", description="Address to listen on. Anything but loopback needs API keys.")
    port: int = Field(default=8000, ge=0, le=65535)
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="Host names the service answers to besides its own address."
    )
    api_keys_file: Path | None = Field(default=None, description="TOML file of hashed API keys and their roles.")
    reviewer: str = Field(default_factory=_login_name, description="Who the local person is in the audit log.")
    metrics_host: str = Field(default="127.0.0.1", description="Address on which figures are given without a key.")
    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port on which workers and service answer /metrics to whoever can reach it; default: none.",
    )

    s3_endpoint: str | None = Field(
        default=None,
        pattern=r"^[^/]*$",
        description="Host and port of a store that speaks S3; default: photos lie in the data folder.",
    )
    s3_public_endpoint: str | None = Field(
        default=None,
        pattern=r"^(https?://[^/]+/?)?$",
        description="How clients reach that store, https://HOST; default: they send photos to this service.",
    )
    s3_secure: bool = Field(default=True, description="Whether the store is spoken to by TLS.")
    s3_bucket: str = Field(default="headstone", description="Bucket of the photos; headstone migrate makes it.")
    s3_region: str = Field(default="us-east-1", description="Region of the bucket.")
    s3_access_key: str | None = Field(default=None, description="Who this service is to the store.")
    s3_secret_key: SecretStr | None = Field(default=None, description="The key that belongs to the access key.")
    s3_presigned_s: int = Field(
        default=3600, ge=60, le=604_800, description="How long a client may put a file it has announced."
    )

    max_file_bytes: int = Field(default=64 * 1024**2, gt=0)
    max_files_per_request: int = Field(default=200, gt=0)

    worker_processes: int = Field(default=1, ge=1, le=64)
    claim_size: int = Field(default=4, ge=1, le=256)
    lease_s: float = Field(
        default=300.0, gt=0, description="How long a worker may hold photos before others may take them."
    )
    photo_timeout_s: float = Field(default=60.0, gt=0, description="A reader that is longer at one photo is ended.")
    max_attempts: int = Field(default=3, ge=1)
    poll_s: float = Field(default=0.5, gt=0)
    worker_max_memory_mb: int = Field(
        default=2048, gt=0, description="A reading process that takes up more is replaced between two photos."
    )
    broker_url: SecretStr | None = Field(
        default=None, description="Where messages go that photos wait: amqp://… (RabbitMQ) or redis://…"
    )
    sweep_s: float = Field(default=1.0, gt=0, description="How often the sweeper looks for photos that wait.")
    publish_window: int = Field(
        default=1024, ge=1, description="How many photos of a priority messages may name that nobody has taken yet."
    )
    publish_chunk: int = Field(default=64, ge=1, le=256, description="Photos a message.")
    queue_stale_s: float = Field(
        default=300.0, gt=0, description="Photos whose message nobody acted on for so long are named in another one."
    )
    review_lease_s: float = Field(
        default=600.0, gt=0, description="How long a draft stays with the reviewer it was shown to."
    )
    bundle: str | None = Field(
        default=None, description="Model bundle: a name, name@version or folder; default: the newest of the profile."
    )
    profile: str = Field(default=DEFAULT_PROFILE, description="Which of the shipped bundles reads: accurate or fast.")
    engine: EngineName = Field(default=DEFAULT_ENGINE, description="What runs the bundle.")
    device: Device | None = Field(default=None, description="Where the engine runs; default: its usual device.")
    decodes: FilePath | None = Field(
        default=None, description="CSV of decoded unit codes: code, from, to, place, meaning, source."
    )

    @property
    def resolved_database_url(self) -> str:
        """The database that holds: the given one, else SQLite in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir / 'headstone.sqlite3'}"

    @property
    def objects_dir(self) -> Path:
        """Where the embedded object store keeps its files."""
        return self.data_dir / "objects"

    @property
    def listens_on_loopback(self) -> bool:
        """True when only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def load_settings(**given: Any) -> Settings:
    """Settings from the environment and what an entry point was given; None leaves a setting to the environment.

    Raises ``UsageError`` with one line that says which setting does not fit and by which variable it can be set.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(step) for step in first["loc"])
        raise UsageError(f"the setting {name} (HEADSTONE_{name.upper()}) does not fit: {first['msg']}") from error
