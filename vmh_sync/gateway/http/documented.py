"""What the OpenAPI document says about answers that are not a success."""

from typing import Any

from pydantic import BaseModel

_MEANINGS = {
    400: "Can never be valid",
    401: "No valid signature or key",
    403: "The key does not cover this",
    404: "Not known",
    408: "The body did not arrive in time",
    409: "Not possible now",
    413: "The body is too large",
    422: "A field is not usable",
    502: "Advoware gave no usable answer",
    503: "Not available now; try again later",
    504: "Advoware did not answer in time",
}


class Problem(BaseModel):
    """Why a call was refused or failed."""

    error: str


def problems(*statuses: int, model: type[BaseModel] = Problem) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of an endpoint for these statuses."""
    return {status: {"model": model, "description": _MEANINGS[status]} for status in statuses}


RECORD_SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {
            "type": "string",
            "pattern": "^([0-9a-f]{17}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
            "description": "EspoCRM's id; everything else is read again later",
        }
    },
}
