"""The readers: model bundles, text line detection, recognition, and the metrics they are judged by."""
