"""What watches the house in Dagster: checks, the nightly comparison, alerts."""
