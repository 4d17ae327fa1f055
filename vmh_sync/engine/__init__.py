"""Mechanisms that every entity uses, one of each; no Dagster in here."""
