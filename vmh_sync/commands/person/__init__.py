"""``vmh-sync person``: what a person may ask of the firm about their data."""
