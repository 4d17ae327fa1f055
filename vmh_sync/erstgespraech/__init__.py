"""First consultations: the reset of a "next call" that lies in the past (specification, entities.md 6)."""
