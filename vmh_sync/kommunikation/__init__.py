"""Phones and e-mails of a party (specification, entities.md 2)."""
