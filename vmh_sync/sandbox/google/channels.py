"""Push notifications: ``events.watch`` and ``channels.stop``, as Google's guide to push notifications describes them.

A channel tells its address that the events of a calendar have changed; the message has headers and no body, and says
nothing about what has changed.
"""

import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from vmh_sync.sandbox.google.errors import ApiError, channel_not_found, channel_not_unique, invalid, not_https, required
from vmh_sync.sandbox.google.world import StoredCalendar, World

Json = dict[str, Any]
Post = Callable[[str, Mapping[str, str]], None]

LONGEST = timedelta(days=7)
_CHANNEL_ID = re.compile(r"[A-Za-z0-9\-_+/=]{1,64}")
_TOKEN_LIMIT = 256
_SECONDS = 10.0


@dataclass(slots=True)
class Channel:
    """One open channel; ``sent`` counts its messages."""

    id: str
    calendar_id: str
    account: str
    address: str
    token: str
    resource_id: str
    expires_at: datetime
    sent: int = 0


class HttpPost:
    """Delivers messages one after the other, beside the requests; what is refused or lost stays so."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1, "google-push")

    def __call__(self, address: str, headers: Mapping[str, str]) -> None:
        """Send one message soon."""
        self._worker.submit(_deliver, address, dict(headers))


def _deliver(address: str, headers: dict[str, str]) -> None:
    request = urllib.request.Request(address, data=b"", headers=headers, method="POST")  # noqa: S310 - checked in watch
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with suppress(urllib.error.URLError, OSError), opener.open(request, timeout=_SECONDS):
        return


class Channels:
    """The open channels of this Google."""

    def __init__(self, world: World, post: Post) -> None:
        self._world = world
        self._post = post
        self._used: set[str] = set()
        self.open: dict[str, Channel] = {}

    def watch(self, calendar: StoredCalendar, account: str, body: Json) -> Json:
        """``events.watch``. Raises 400 for an unusable id, address or kind, and for an id that was used before."""
        channel_id, address = str(body.get("id") or ""), str(body.get("address") or "")
        if not channel_id or not address:
            raise required("Missing required field: id or address.")
        if body.get("type") not in ("web_hook", "webhook"):
            raise invalid("Unknown channel type.")
        if not _CHANNEL_ID.fullmatch(channel_id) or len(str(body.get("token") or "")) > _TOKEN_LIMIT:
            raise invalid("Invalid channel id or token.")
        where = urlsplit(address)
        if where.scheme != "https" and where.hostname not in ("127.0.0.1", "localhost"):
            raise not_https(address)
        if channel_id in self._used:
            raise channel_not_unique(channel_id)
        self._used.add(channel_id)
        channel = Channel(
            id=channel_id,
            calendar_id=calendar.id,
            account=account,
            address=address,
            token=str(body.get("token") or ""),
            resource_id=sha256(calendar.id.encode()).hexdigest()[:27],
            expires_at=self._world.config.clock.now() + self._asked(body),
        )
        self.open[channel_id] = channel
        self._tell(channel, "sync")
        return self._shown(channel)

    def stop(self, account: str, body: Json) -> None:
        """``channels.stop``. Raises 404 for a channel that is not open, of another account, or of another resource."""
        channel = self.open.get(str(body.get("id")))
        if channel is None or self._ended(channel):
            raise channel_not_found(str(body.get("id")))
        if (channel.account, channel.resource_id) != (account, str(body.get("resourceId"))):
            raise channel_not_found(channel.id)
        del self.open[channel.id]

    def ring(self) -> None:
        """Tell every channel whose calendar has been touched since the last time."""
        touched, self._world.touched = self._world.touched, set()
        for channel in list(self.open.values()) if touched else ():
            if self._ended(channel):
                del self.open[channel.id]
            elif channel.calendar_id in touched:
                self._tell(channel, "exists")

    def _asked(self, body: Json) -> timedelta:
        try:
            seconds = int(str((body.get("params") or {}).get("ttl", LONGEST.total_seconds())).split(".")[0])
        except ValueError:
            raise ApiError(400, "invalid", "Invalid ttl.") from None
        return min(timedelta(seconds=seconds), LONGEST)

    def _ended(self, channel: Channel) -> bool:
        return self._world.config.clock.now() >= channel.expires_at

    def _tell(self, channel: Channel, state: str) -> None:
        channel.sent += 1
        headers = {
            "X-Goog-Channel-ID": channel.id,
            "X-Goog-Channel-Expiration": format_datetime(channel.expires_at.astimezone(UTC), usegmt=True),
            "X-Goog-Message-Number": str(channel.sent),
            "X-Goog-Resource-ID": channel.resource_id,
            "X-Goog-Resource-State": state,
            "X-Goog-Resource-URI": self._uri(channel),
        }
        if channel.token:
            headers["X-Goog-Channel-Token"] = channel.token
        self._post(channel.address, headers)

    @staticmethod
    def _uri(channel: Channel) -> str:
        return f"https://www.googleapis.com/calendar/v3/calendars/{channel.calendar_id}/events?alt=json"

    def _shown(self, channel: Channel) -> Json:
        body = {
            "kind": "api#channel",
            "id": channel.id,
            "resourceId": channel.resource_id,
            "resourceUri": self._uri(channel),
            "expiration": str(int(channel.expires_at.timestamp() * 1000)),
        }
        return body | ({"token": channel.token} if channel.token else {})
