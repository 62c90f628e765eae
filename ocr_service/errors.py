"""Every error the application raises on purpose.

    HeadstoneError
    ├── UsageError            the command or the request cannot be carried out as it stands
    │   ├── NotFoundError     what was asked for does not exist
    │   └── ConflictError     somebody else decided first; look again
    ├── BundleError           a model bundle is missing, damaged or does not fit this version
    ├── StorageError          objects or results could not be written or read (disk full, permission)
    ├── BrokerError           the message broker does not answer or did not take a message
    └── EngineError           an engine that was asked for is not installed or does not work here

Each message is one line that says what to do. A photo that cannot be read is not an error but a ``Reading`` with a
reason (``records.RejectReason``).
"""


class HeadstoneError(Exception):
    """Root of everything this application raises on purpose."""


class UsageError(HeadstoneError):
    """The command or request cannot be carried out as it stands."""


class NotFoundError(UsageError):
    """What was asked for does not exist."""


class ConflictError(UsageError):
    """The state changed under the caller; the message says what holds now."""


class BundleError(HeadstoneError):
    """A model bundle is missing, damaged or does not fit this version."""


class StorageError(HeadstoneError):
    """Objects or results could not be written or read."""


class BrokerError(HeadstoneError):
    """The message broker does not answer or did not take a message."""


class EngineError(HeadstoneError):
    """An engine that was asked for is not installed or does not work here."""
