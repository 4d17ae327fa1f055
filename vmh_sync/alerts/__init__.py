"""Tells people of trouble, once when it begins and once when it is over. Knows no Dagster."""
