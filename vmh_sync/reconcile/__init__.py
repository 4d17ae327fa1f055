"""An independent, read-only comparison of both sides: it knows neither the sync's bases nor its field tables."""
