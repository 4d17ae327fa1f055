"""The forms an answer of the simulated Advoware can take (wire contract 3)."""

from starlette.responses import PlainTextResponse, Response

from vmh_sync.sandbox.office.config import Switches
from vmh_sync.sandbox.office.fields import Json
from vmh_sync.sandbox.office.records import encode

_JSON = "application/json; charset=utf-8"


class ApiError(Exception):
    """An answer that is not a success; ``text`` is the German body."""

    def __init__(self, status: int, text: str, *, as_json: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.as_json = as_json

    def response(self) -> Response:
        """Return the answer; error bodies are JSON or plain German text."""
        if self.as_json:
            return Response(encode({"message": self.text}), self.status, media_type=_JSON)
        return PlainTextResponse(self.text, self.status)


def refused() -> ApiError:
    """The API does not offer this call (403)."""
    return ApiError(403, "Diese Methode wird von der Schnittstelle nicht angeboten.", as_json=True)


def gone(what: str) -> ApiError:
    """There is no such record (404)."""
    return ApiError(404, f"{what} wurde nicht gefunden.")


def json_answer(encoded: bytes) -> Response:
    """Return encoded JSON with status 200."""
    return Response(encoded, media_type=_JSON)


def single(switches: Switches, encoded: bytes) -> Response:
    """Return one record: an object or a list with one object."""
    return json_answer(encoded if switches.single_read == "object" else b"[" + encoded + b"]")


def written(switches: Switches, record: Json, number: int) -> Response:
    """Return what a write answers: the object, a list with it, the bare number, or nothing."""
    match switches.write_answer:
        case "object":
            return json_answer(encode(record))
        case "list":
            return json_answer(encode([record]))
        case "number":
            return json_answer(encode(number))
        case _:
            return Response(status_code=204)
