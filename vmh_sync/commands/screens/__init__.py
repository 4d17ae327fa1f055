"""How commands speak: tables, JSON, bars, moments, and German sentences for what went wrong."""
