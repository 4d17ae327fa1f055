"""``vmh-sync demo``: where it lives, what it shows, and its tables."""
