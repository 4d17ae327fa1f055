"""The signature of EspoCRM's webhooks, against the vector of the specification (http-endpoints.md 1)."""

import base64
import hashlib
import hmac

import pytest

from vmh_sync.gateway.events.signatures import is_signed

WEBHOOK = "66b0c1d2e3f4a5b6c"
SECRET = "0123456789abcdef0123456789abcdef"
BODY = b'[{"id":"66aa11bb22cc33dd4","lastName":"Beispiel","syncStatus":"dirty"}]'
VECTOR = (
    "NjZiMGMxZDJlM2Y0YTViNmM6MTRiZGY0YjQ3MDM4Y2ExMzNhNDAzNGVkY2IyZjkwZGQxNjY1ZjcwNmRmYTNkMTU4MTc5NjYyMjM3N2Q5OTkyNQ=="
)
SECRETS = {WEBHOOK: SECRET, "66b0c1d2e3f4a5b6d": "another"}


def legacy(webhook: str = WEBHOOK, secret: str = SECRET, body: bytes = BODY) -> str:
    return base64.b64encode(webhook.encode() + b":" + hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def test_vector_of_the_specification() -> None:
    assert is_signed(BODY, VECTOR, None, SECRETS)


def test_legacy_form_with_raw_digest() -> None:
    assert is_signed(BODY, None, legacy(), SECRETS)


@pytest.mark.parametrize(
    ("signature", "legacy_signature"),
    [
        (None, None),
        ("", None),
        ("no base64!", None),
        ("ümläut", None),
        (base64.b64encode(b"no colon").decode(), None),
        (base64.b64encode(f"{WEBHOOK}:".encode()).decode(), None),
        (legacy(), None),
        (None, VECTOR),
        (None, legacy(webhook="66b0c1d2e3f4a5b6d")),
        (None, legacy(webhook="unknown")),
        (None, legacy(secret="0" * 32, webhook="unknown")),
        (None, legacy(secret="wrong")),
        ("A" * 10_000, None),
    ],
)
def test_everything_else_is_refused(signature: str | None, legacy_signature: str | None) -> None:
    assert not is_signed(BODY, signature, legacy_signature, SECRETS)


def test_one_changed_byte_is_refused() -> None:
    assert not is_signed(BODY + b" ", VECTOR, None, SECRETS)
    assert not is_signed(BODY, VECTOR, None, {WEBHOOK: ""})


def test_newer_header_decides_when_both_are_there() -> None:
    assert not is_signed(BODY, "broken", legacy(), SECRETS)
