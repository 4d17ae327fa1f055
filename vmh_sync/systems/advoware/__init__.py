"""Advoware: client, wire format, token, errors (specification, advoware-wire.md)."""
