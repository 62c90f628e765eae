"""Options by which several commands choose their reader; what is left open comes from the environment."""

from __future__ import annotations

from typing import Annotated

import typer

from models.choices import Device, EngineName

BundleOption = Annotated[
    str | None,
    typer.Option(
        help="Model bundle: a folder, NAME or NAME@VERSION; it wins over the profile.",
        show_default="HEADSTONE_BUNDLE, the newest of the profile",
    ),
]
ProfileOption = Annotated[
    str | None,
    typer.Option(help="Which shipped bundle reads: `accurate` or `fast`.", show_default="HEADSTONE_PROFILE, accurate"),
]
EngineOption = Annotated[
    EngineName | None,
    typer.Option(help="What runs the bundle.", show_default="HEADSTONE_ENGINE, onnxruntime"),
]
DeviceOption = Annotated[
    Device | None,
    typer.Option(help="Where the engine runs.", show_default="HEADSTONE_DEVICE, the engine's usual one"),
]
