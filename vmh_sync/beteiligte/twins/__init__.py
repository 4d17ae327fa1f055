"""Whether a party is there already: looked for before one is created, and asked of a person."""
