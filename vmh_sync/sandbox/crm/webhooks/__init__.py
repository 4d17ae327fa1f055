"""Webhooks of the simulated EspoCRM: what is told to whom, and how it is delivered."""
