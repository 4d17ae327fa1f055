"""The foreign systems: one package each (client, wire format, errors), and what their clients share."""
