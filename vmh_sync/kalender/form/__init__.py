"""Notation: Termine and events in the one form in which both sides are compared. Pure."""
