"""What a record of the simulated EspoCRM can hold: entity types, fields, values, and the rows they are kept in."""
