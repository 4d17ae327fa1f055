"""Signatures of EspoCRM's webhooks (specification, http-endpoints.md 1). Pure.

``Signature`` is base64 of ``webhookId:hexdigest`` (EspoCRM 9.0 and later), ``X-Signature`` base64 of
``webhookId:raw digest`` (before). Each webhook has a secret of its own; the id inside picks it.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

LONGEST_HEADER = 512
_NO_SECRET = "0" * 32


def is_signed(body: bytes, signature: str | None, legacy_signature: str | None, secrets: Mapping[str, str]) -> bool:
    """Tell whether the raw ``body`` carries a valid signature in one of the two headers.

    ``secrets`` maps webhook id to secret key. The newer header counts when both are there.
    """
    if signature is not None:
        return _matches(body, signature, secrets, raw=False)
    if legacy_signature is not None:
        return _matches(body, legacy_signature, secrets, raw=True)
    return False


def _matches(body: bytes, header: str, secrets: Mapping[str, str], *, raw: bool) -> bool:
    if len(header) > LONGEST_HEADER:
        return False
    try:
        decoded = base64.b64decode(header.strip().encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return False
    webhook_id, colon, given = decoded.partition(b":")
    secret = secrets.get(webhook_id.decode("ascii", errors="replace")) if colon else None
    # An unknown id costs as much time as a known one.
    digest = hmac.new((secret or _NO_SECRET).encode(), body, hashlib.sha256)
    wanted = digest.digest() if raw else digest.hexdigest().encode()
    return hmac.compare_digest(wanted, given) and bool(secret)
