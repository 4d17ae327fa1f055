"""Backup and restore of what the product keeps: our database, Dagster's, and its home (deploy/README.md)."""
