"""Which parties are read, from where, and which of them nothing has happened to."""
