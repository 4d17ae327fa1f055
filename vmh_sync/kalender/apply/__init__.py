"""Carrying plans out: what is checked before a write, and what is taken for agreed after it."""
