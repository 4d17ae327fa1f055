"""What was done and what is left for people: audit, numbers, tasks."""
