"""What an administrator of the simulated EspoCRM sets: entity types, fields, settings, preferences."""
