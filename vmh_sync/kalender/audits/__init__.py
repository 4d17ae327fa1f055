"""Whether both calendars agree, and what is left to a person: looked at apart from any pass."""
