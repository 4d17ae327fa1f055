"""The batch endpoint: up to 50 requests in one ``multipart/mixed`` body, each counted on its own."""

import json
import uuid
from email.message import Message
from email.parser import BytesParser
from urllib.parse import parse_qs, unquote, urlsplit

from vmh_sync.sandbox.google.api import SERVICE_PATH, ApiRequest, ApiResponse, CalendarApi
from vmh_sync.sandbox.google.errors import ApiError, bad_request

LIMIT = 50


def answer_batch(api: CalendarApi, content_type: str, authorization: str, body: bytes) -> tuple[str, bytes]:
    """Answer a batch body; return the content type and body of the response. Raises 400."""
    message = BytesParser().parsebytes(f"content-type: {content_type}\r\n\r\n".encode("latin-1") + body)
    if not message.is_multipart():
        raise bad_request("Failed to parse batch request, error: no multipart body.")
    parts = [part for part in message.get_payload() if isinstance(part, Message)]
    if len(parts) > LIMIT:
        raise bad_request(f"The batch request exceeds the maximum of {LIMIT} calls.")
    boundary = f"batch_{uuid.uuid4().hex}"
    chunks = []
    for part in parts:
        response = _answer_part(api, part, authorization)
        content_id = str(part.get("Content-ID", "<>")).strip("<>")
        chunks.append(_part_text(boundary, content_id, response))
    return f"multipart/mixed; boundary={boundary}", ("".join(chunks) + f"--{boundary}--\r\n").encode()


def _answer_part(api: CalendarApi, part: Message, authorization: str) -> ApiResponse:
    payload = part.get_payload(decode=True)
    try:
        request = _request(payload if isinstance(payload, bytes) else b"", authorization)
    except ApiError as error:
        return ApiResponse(error.status, error.body())
    return api.handle(request)


def _request(raw: bytes, authorization: str) -> ApiRequest:
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    line, _, header_text = head.decode("utf-8").lstrip().partition("\n")
    words = line.split(" ")
    if len(words) < 2:
        raise bad_request("Failed to parse batch request, error: bad request line.")
    address = urlsplit(words[1])
    if not address.path.startswith(SERVICE_PATH):
        raise bad_request("Failed to parse batch request, error: not a calendar request.")
    headers = {"authorization": authorization}
    for text in header_text.splitlines():
        name, _, value = text.partition(":")
        headers[name.strip().lower()] = value.strip()
    path = unquote(address.path.removeprefix(SERVICE_PATH))
    return ApiRequest(words[0], path, parse_qs(address.query, keep_blank_values=True), headers, body.strip())


def _part_text(boundary: str, content_id: str, response: ApiResponse) -> str:
    body = "" if response.body is None else json.dumps(response.body)
    headers = {"Content-Type": "application/json; charset=UTF-8", **response.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (
        f"--{boundary}\r\nContent-Type: application/http\r\nContent-ID: <response-{content_id}>\r\n\r\n"
        f"HTTP/1.1 {response.status} {response.reason}\r\n{lines}\r\n{body}\r\n"
    )
