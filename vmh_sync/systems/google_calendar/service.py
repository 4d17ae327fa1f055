"""The official client, built from the packaged discovery document (specification, kalender.md 1).

``client_options.api_endpoint`` does not redirect batch requests, so ``rootUrl`` of the document itself is
rewritten. httplib2 is not thread-safe: every thread gets a service object of its own.
"""

import json
import threading
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, ClassVar
from urllib.parse import urlsplit

import google.auth.exceptions
import google_auth_httplib2
from google.auth import crypt
from google.auth.credentials import DEFAULT_UNIVERSE_DOMAIN
from google.oauth2 import service_account
from googleapiclient import discovery, discovery_cache, model

from vmh_sync.settings import GoogleCalendarSettings
from vmh_sync.systems.circuit import circuit_name
from vmh_sync.systems.errors import BadConfiguration
from vmh_sync.systems.google_calendar.http import SingleSendHttp
from vmh_sync.systems.json_answers import read_json

# The published type stubs leave these functions out or untyped.
_discovery: Any = discovery
_JsonModel: Any = model.JsonModel
_discovery_cache: Any = discovery_cache
_crypt: Any = crypt

SCOPES = ("https://www.googleapis.com/auth/calendar",)
_ANEW = "bitte den JSON-Schlüssel des Dienstkontos in der Google-Cloud-Konsole neu herunterladen und eintragen."
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class ServiceAccountError(BadConfiguration):
    """The service account's key is missing or unusable; the message names the variable, never the content.

    ``in_words`` is the German sentence that says where and what to do.
    """

    system: ClassVar[str] = "google"
    people: ClassVar[str] = "Der Schlüssel des Google-Dienstkontos fehlt oder ist unbrauchbar."

    def __init__(self, detail: str, in_words: str = "") -> None:
        super().__init__(detail)
        self.in_words = in_words

    @property
    def message_for_people(self) -> str:
        """One or two German sentences: what is wrong with which variable, and what to do."""
        return f"{self.people} {self.in_words}".rstrip()


class TolerantModel(_JsonModel):  # type: ignore[misc]
    """Reads answers so that a hostile value spoils one event, never the list it stands in."""

    def deserialize(self, content: bytes | str) -> Any:
        """Return the JSON of an answer; raises :class:`UnreadableJson`."""
        return read_json(content.encode() if isinstance(content, str) else content)


class _RedirectedCredentials(service_account.Credentials):  # type: ignore[misc,unused-ignore]
    """Credentials for another endpoint than Google's.

    google-auth asks iamcredentials.googleapis.com for the account's regions in a background thread, with the
    access token of this account. Towards a redirected API that is a foreign host which must not be called.
    """

    def _is_regional_access_boundary_lookup_required(self) -> bool:
        return False


class ServiceFactory:
    """Hands out one ready Calendar v3 service object per thread, all with the same credentials.

    ``email`` is the acting account: the delegation subject if there is one, else the service account; ``login_name``
    names the circuit of this login.
    """

    def __init__(self, settings: GoogleCalendarSettings, *, subject: str | None = None) -> None:
        info = service_account_info(settings)
        self._settings = settings
        self._document = discovery_document(settings.api_endpoint)
        self._credentials = _credentials(info, subject, redirected=settings.api_endpoint is not None)
        self.service_account_email = str(info["client_email"])
        self.email = subject or self.service_account_email
        self.login_name = circuit_name("google", str(info["private_key"]), self.service_account_email, subject)
        self._local = threading.local()

    def service(self) -> Any:
        """Return this thread's service object (``googleapiclient`` resource of calendar v3)."""
        service = getattr(self._local, "service", None)
        if service is None:
            http, model = self._authorized_http(), TolerantModel()
            service = _discovery.build_from_document(self._document, http=http, model=model)
            # The library makes a resource's methods, texts and all, at every call: ten milliseconds before a request.
            for name in self._document["resources"]:
                setattr(service, name, cache(getattr(service, name)))
            self._local.service = service
        return service

    def close(self) -> None:
        """Close this thread's connections."""
        service = getattr(self._local, "service", None)
        if service is not None:
            service.close()
            del self._local.service

    def _authorized_http(self) -> google_auth_httplib2.AuthorizedHttp:
        options: dict[str, Any] = {"timeout": self._settings.api_timeout_seconds}
        if urlsplit(self._settings.api_endpoint or "").hostname in _LOOPBACK:
            options["proxy_info"] = None  # a proxy for the outside world must not see loopback calls
        http = SingleSendHttp(**options)
        http.redirect_codes = http.redirect_codes - {308}  # 308 is "resume" in Google's protocol, no redirect
        # One refresh after a 401, then the error (specification, kalender.md 1).
        return google_auth_httplib2.AuthorizedHttp(self._credentials, http=http, max_refresh_attempts=1)


def discovery_document(api_endpoint: str | None) -> dict[str, Any]:
    """Return the packaged calendar v3 discovery document, its addresses moved to ``api_endpoint`` if given.

    ``api_endpoint`` is a root address (``http://127.0.0.1:8080``); a trailing service path is tolerated.
    """
    text = _discovery_cache.get_static_doc("calendar", "v3")
    if text is None:
        raise ServiceAccountError("google-api-python-client ships no discovery document for calendar v3")
    document: dict[str, Any] = json.loads(text)
    document.pop("mtlsRootUrl", None)
    if api_endpoint:
        root = api_endpoint.rstrip("/").removesuffix(str(document["servicePath"]).rstrip("/")).rstrip("/") + "/"
        document["rootUrl"] = root
        document["baseUrl"] = root + document["servicePath"]
    return document


def service_account_info(settings: GoogleCalendarSettings) -> Mapping[str, object]:
    """Read the service account's key from the JSON setting or, failing that, from the file.

    Raises :class:`ServiceAccountError` naming the variable that is missing, unreadable or no key of a service
    account.
    """
    variable, text = _key_text(settings)
    try:
        info = json.loads(text)
    except ValueError:
        words = f"{variable} enthält kein gültiges JSON; {_ANEW}"
        raise ServiceAccountError(
            f"{variable} is not valid JSON: expected a service account's key file", words
        ) from None
    missing = [key for key in ("client_email", "private_key", "token_uri") if not _has(info, key)]
    if missing:
        words = f"In {variable} fehlt: {', '.join(missing)}; {_ANEW}"
        raise ServiceAccountError(f"{variable} is no service account's key: {', '.join(missing)} missing", words)
    checked: Mapping[str, object] = info
    return checked


def _has(info: object, key: str) -> bool:
    return isinstance(info, dict) and isinstance(info.get(key), str) and bool(info[key])


def _key_text(settings: GoogleCalendarSettings) -> tuple[str, str]:
    if settings.service_account_json is not None:
        return "GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON", settings.service_account_json.get_secret_value()
    variable = "GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH"
    if settings.service_account_path is None:
        raise ServiceAccountError(
            f"{variable} or GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON is needed for the calendars",
            f"Bitte {variable} (Datei) oder GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON (Inhalt) setzen.",
        )
    try:
        return variable, settings.service_account_path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        words = f"Die Datei aus {variable} ist nicht lesbar; bitte Pfad und Rechte prüfen."
        raise ServiceAccountError(f"{variable} cannot be read ({type(error).__name__})", words) from None


def _credentials(info: Mapping[str, object], subject: str | None, *, redirected: bool) -> service_account.Credentials:
    kind: Any = _RedirectedCredentials if redirected else service_account.Credentials
    try:
        signer = _signer(str(info["private_key"]), str(info.get("private_key_id") or ""))
        credentials: service_account.Credentials = kind(
            signer,
            str(info["client_email"]),
            str(info["token_uri"]),
            scopes=SCOPES,
            subject=subject,
            universe_domain=info.get("universe_domain") or DEFAULT_UNIVERSE_DOMAIN,
        )
        return credentials
    except (ValueError, google.auth.exceptions.GoogleAuthError):
        words = f"Der private_key darin ist unbrauchbar (GOOGLE_CALENDAR_SERVICE_ACCOUNT_…); {_ANEW}"
        raise ServiceAccountError("the service account's private_key is not a usable RSA key", words) from None


@lru_cache(maxsize=4)
def _signer(private_key: str, key_id: str) -> Any:
    """Return what signs with a key. Read once a process: OpenSSL proves a key each time, half of a short pass."""
    return _crypt.RSASigner.from_string(private_key, key_id or None)
