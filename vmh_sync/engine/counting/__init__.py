"""What a pass counts, for metrics and for people who wait."""
