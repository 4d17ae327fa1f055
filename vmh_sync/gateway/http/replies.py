"""JSON answers that can always be sent, whatever they hold."""

import json
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse


class SafeJson(JSONResponse):
    """JSON in ASCII, so that half a surrogate pair from a caller cannot break the answer."""

    def render(self, content: Any) -> bytes:
        """Return the bytes. Raises ``ValueError`` for NaN and infinity, which are not JSON."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


async def unusable_field(_: Request, problem: Exception) -> SafeJson:
    """Answer 422 and name the fields; what was given there is not repeated."""
    errors = problem.errors() if isinstance(problem, RequestValidationError) else []
    detail = [{"loc": list(error["loc"]), "msg": error["msg"], "type": error["type"]} for error in errors]
    return SafeJson({"detail": detail}, 422)
