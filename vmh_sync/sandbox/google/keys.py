"""Service-account key files, generated afresh in every process; none of them opens anything real."""

import base64
import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


@dataclass(frozen=True, slots=True)
class ServiceAccountKey:
    """One RSA key of a service account."""

    email: str
    key_id: str
    private_key: rsa.RSAPrivateKey = field(repr=False)

    def as_json(self, token_uri: str) -> dict[str, Any]:
        """Return the key file's content; ``token_uri`` is the token service's address (plain http on loopback)."""
        pem = self.private_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": "vmh-sandbox",
            "private_key_id": self.key_id,
            "private_key": pem.decode("ascii"),
            "client_email": self.email,
            "client_id": "100000000000000000001",
            "token_uri": token_uri,
        }

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Return True when ``signature`` is this key's RS256 signature of ``message``."""
        try:
            self.private_key.public_key().verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


@lru_cache(maxsize=8)
def key_for(email: str) -> ServiceAccountKey:
    """Return this process's key for a service account; the first call generates it (about 0.1 s)."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(str(private.public_key().public_numbers().n).encode())
    return ServiceAccountKey(email, digest.finalize().hex()[:40], private)


def decode_segment(segment: str) -> bytes:
    """Decode one base64url segment of a JWT. Raises ValueError."""
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def json_segment(segment: str) -> dict[str, Any]:
    """Decode a JWT segment; what is no JSON object counts as an empty one. Raises ValueError."""
    value = json.loads(decode_segment(segment))
    return dict(value.items()) if isinstance(value, dict) else {}
