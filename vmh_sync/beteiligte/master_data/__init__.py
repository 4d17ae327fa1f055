"""Master data of both sides, in canonical form, and what has to change. Pure."""
