"""Why a certificate is not trusted, in words."""

import ssl

_NO_CERTIFICATE_OF = {
    10: "es ist abgelaufen",
    9: "es gilt noch nicht",
    18: "es ist selbst ausgestellt",
    19: "seine Zertifizierungsstelle ist diesem Rechner nicht bekannt",
    20: "seine Zertifizierungsstelle ist diesem Rechner nicht bekannt",
    21: "seine Zertifizierungsstelle ist diesem Rechner nicht bekannt",
    62: "es ist für einen anderen Namen ausgestellt",
}
"""Codes of OpenSSL's verification."""


def why_not_trusted(error: ssl.SSLCertVerificationError) -> str:
    """Return the reason as the end of a German sentence."""
    return _NO_CERTIFICATE_OF.get(error.verify_code, "es lässt sich nicht prüfen")
