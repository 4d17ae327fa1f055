"""Records of the simulated EspoCRM by HTTP: read, list, write, relate, lock."""
