"""EspoCRM: client, login, where builder, records, errors (specification, espocrm.md)."""
