"""The simulated EspoCRM: an ASGI application built from the specification (espocrm.md) and the recordings."""

from vmh_sync.sandbox.crm.app import create_crm_app
from vmh_sync.sandbox.crm.config import CrmConfig, WebhookConfig
from vmh_sync.sandbox.crm.hooks import CrmHooks
from vmh_sync.sandbox.crm.state import Crm

__all__ = ["Crm", "CrmConfig", "CrmHooks", "WebhookConfig", "create_crm_app"]
