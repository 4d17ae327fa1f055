"""The simulated Advoware: discovery, login, parties with their children, appointments, and the people in the office."""

from vmh_sync.sandbox.office.app import create_office
from vmh_sync.sandbox.office.config import API_PATH, CONFIGURATOR_PATH, RELAY_PATH, OfficeConfig, Switches
from vmh_sync.sandbox.office.hooks import OfficeHooks

__all__ = ["API_PATH", "CONFIGURATOR_PATH", "RELAY_PATH", "OfficeConfig", "OfficeHooks", "Switches", "create_office"]
