"""The readers: model bundles, text line detection, recognition, and the metrics they are judged by."""

import os

# ONNX Runtime reports to its maker from version 1.29 on, unless this stands before it is imported; calling its
# disable_telemetry_events() comes too late. What an office reads is nobody's business but its own.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
