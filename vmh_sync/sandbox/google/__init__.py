"""The simulated Google Calendar: real HTTP that the official client and google-auth drive unchanged.

Built from Google's public reference, its error guide and the discovery document that the client package ships.
Shares no code with the product's client.
"""

from vmh_sync.sandbox.google.app import create_google
from vmh_sync.sandbox.google.config import GoogleConfig
from vmh_sync.sandbox.google.hooks import GoogleHooks

__all__ = ["GoogleConfig", "GoogleHooks", "create_google"]
