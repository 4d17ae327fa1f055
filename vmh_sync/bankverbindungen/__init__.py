"""Bank accounts: CBankverbindungen in EspoCRM, Bankverbindungen in Advoware (specification, entities.md 4)."""
