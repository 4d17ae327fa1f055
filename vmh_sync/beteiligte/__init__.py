"""Parties (Beteiligte): EspoCRM ``CBeteiligte`` and Advoware ``Beteiligte``, with their children."""
