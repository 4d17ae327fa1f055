"""``vmh-sync rehearse``: the first day on a copy of both sides."""
