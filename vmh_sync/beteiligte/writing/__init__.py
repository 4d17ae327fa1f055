"""Carrying the plan of one party out: create, write, read back, commit."""
