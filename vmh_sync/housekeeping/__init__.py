"""Keeps the house clean: old audit rows, settled books, finished Dagster runs, and claims of dead runs."""
