"""Support tickets with an SLA: the worked example of docs/own-flow.md (specification, http-endpoints.md 5)."""

NAME = "ticketing"
"""How VMH_EXAMPLES names it."""
