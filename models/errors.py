"""What can go wrong with a model, apart from misreading.

    ModelError
    ├── BundleError        a bundle is missing, damaged or of a kind this version does not know
    └── EngineMissingError a runtime that was asked for is not installed or does not work here

Each message is one line that says what to do. ``ocr_service`` maps them onto its own tree.
"""


class ModelError(Exception):
    """Root of what this package raises on purpose."""


class BundleError(ModelError):
    """A model bundle is missing, damaged or of a kind that this version does not know."""


class EngineMissingError(ModelError):
    """A runtime that was asked for is not installed or does not work here."""
