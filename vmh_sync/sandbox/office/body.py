"""Reads request bodies of the simulated Advoware."""

from starlette.requests import Request

from vmh_sync.sandbox.office.answers import ApiError
from vmh_sync.sandbox.office.fields import Json


async def json_object(request: Request) -> Json:
    """Return the body as a JSON object; raises :class:`ApiError` 400 when it is none."""
    try:
        body = await request.json()
    except ValueError as error:
        raise ApiError(400, "Die Anfrage ist kein gültiges JSON.") from error
    if not isinstance(body, dict):
        raise ApiError(400, "Die Anfrage muss ein JSON-Objekt sein.")
    return body
