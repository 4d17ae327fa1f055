"""Which records a pass takes, and which of them nothing has happened to."""
