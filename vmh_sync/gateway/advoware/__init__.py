"""The proxy to Advoware."""
