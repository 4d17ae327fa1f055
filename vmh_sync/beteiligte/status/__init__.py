"""How a party stands: the fields in EspoCRM, our ledger, records that are locked."""
