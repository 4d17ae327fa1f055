"""Addresses: CAdressen in EspoCRM, Adressen in Advoware (specification, entities.md 3)."""
