"""What belongs to one record on both sides: link, base, ledger, intents, fingerprints."""
