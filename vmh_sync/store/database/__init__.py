"""How our database is opened, brought to this version and judged; nothing of what its rows mean."""
