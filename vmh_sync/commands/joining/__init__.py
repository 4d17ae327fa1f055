"""Parties of both sides are brought together: first contact and import."""
