"""The gateway: webhooks, the proxy to Advoware, triggers, health and metrics (specification, http-endpoints.md)."""
