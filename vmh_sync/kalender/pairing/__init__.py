"""Which Termin and which event are the same appointment when nothing says so. Pure."""
