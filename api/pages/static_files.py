"""Static files whose address holds a digest of their content; see ``api.pages.render.asset``."""

from __future__ import annotations

import os

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_PathLike = str | os.PathLike[str]


class VersionedFiles(StaticFiles):
    """Files that browsers may keep for good where they asked for one version of them (``?v=…``)."""

    def file_response(
        self, full_path: _PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file, or that it did not change."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        if scope["query_string"].startswith(b"v="):
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response
