"""Commands for whoever installs and keeps it: EspoCRM, doctor, probe, backup, ``up``."""
