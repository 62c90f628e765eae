"""RabbitMQ of the system's packages, as a broker of one's own."""

from __future__ import annotations

import os
import pwd
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from kombu.connection import Connection

from bench.services.process import HOST, Service, free_ports

_PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Not the one on the path: that one insists on the folders of the system's own broker."""
_USER = "headstone"
_CONFIGURATION = """
default_user = {user}
default_pass = {password}
vm_memory_high_watermark.absolute = 256MB
disk_free_limit.absolute = 50MB
raft.wal_max_size_bytes = 16777216
log.console = true
log.console.level = warning
log.file = false
"""


class RabbitMQ(Service):
    """A broker with one user, small in memory; it keeps its node name and its messages over a kill.

    But RabbitMQ 3.10 notes a new quorum queue on disk only some seconds after it was declared. Killed before (at once:
    lost in 3 of 3 tries; after 2, 5 and 8 s: not), it comes back with a queue that has no leader and answers nobody.
    """

    user = "rabbitmq"

    def __init__(self) -> None:
        super().__init__()
        self.port, self._distribution_port, self._epmd_port = free_ports(3)
        self._password = secrets.token_hex(8)
        text = _CONFIGURATION.format(user=_USER, password=self._password)
        (self.folder / "rabbitmq.conf").write_text(text, encoding="utf-8")

    @classmethod
    def missing(cls) -> str | None:
        """See ``Service``."""
        return None if _PROGRAM.exists() else "RabbitMQ is not installed: apt-get install rabbitmq-server"

    @property
    def url(self) -> str:
        """Broker URL for Celery and kombu."""
        return f"amqp://{_USER}:{self._password}@{HOST}:{self.port}//"

    def environment(self) -> Mapping[str, str]:
        """See ``Service``."""
        runs_as = self.user if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        return {
            "USER": str(runs_as),
            "RABBITMQ_NODENAME": "headstone@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": HOST,
            "ERL_MAX_PORTS": "4096",
        }

    def command(self) -> Sequence[str]:
        """See ``Service``. The port mapper is started here: the one that Erlang starts would outlive the broker."""
        return ("sh", "-c", f"epmd -port {self._epmd_port} -address {HOST} & exec {_PROGRAM}")

    def is_ready(self) -> bool:
        """See ``Service``."""
        with Connection(self.url, connect_timeout=2) as connection:  # type: ignore[no-untyped-call]
            connection.connect()
        return True
