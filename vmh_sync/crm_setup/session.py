"""What the steps of one set-up share: the administrator's client, the choices, and what was found or made so far."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.espocrm.errors import NameTaken


@dataclass(frozen=True, slots=True)
class LeftByHand:
    """Something that set-up does not do itself: what, and what a person does about it.

    ``serious``: nothing works so.
    """

    text: str
    remedy: str
    serious: bool = False

    def line(self) -> str:
        """Both in one line."""
        return f"{self.text} → {self.remedy}" if self.remedy else self.text


API_USER = "vmh_sync"


@dataclass(frozen=True, slots=True)
class SetupChoices:
    """What the person who sets up decides.

    ``gateway`` is the address under which EspoCRM reaches our gateway (none: no webhooks). ``assignee`` (a login name
    or id) gets tasks of records without an assigned user, ``team`` (a name or id) sees all tasks.
    """

    gateway: str | None = None
    assignee: str | None = None
    team: str | None = None


@dataclass(slots=True)
class SetupSession:
    """One run of set-up.

    ``admin`` is logged in as an administrator. ``client_of`` opens a client for an API key (``None``: the configured
    login), ``keep`` stores a setting for the product. ``api_key`` is the configured or found key, ``secrets`` the known
    secrets by webhook id.
    """

    admin: EspoClient
    client_of: Callable[[str | None], AbstractAsyncContextManager[EspoClient]] = field(repr=False)
    keep: Callable[[str, str], None] = field(repr=False)
    choices: SetupChoices
    has_login: bool = False
    api_key: str | None = field(default=None, repr=False)
    user_id: str | None = None
    role_id: str | None = None
    team_id: str | None = None
    assignee_id: str | None = None
    default_assignee: str | None = None
    default_team: str | None = None
    """Who gets tasks as things stand (``ESPOCRM_DEFAULT_ASSIGNEE_ID``, ``ESPOCRM_DEFAULT_TEAM_ID``)."""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    new_secrets: dict[str, str] = field(default_factory=dict, repr=False)
    left: list[LeftByHand] = field(default_factory=list)
    doing: str = ""
    """The step that is carried out right now."""

    @property
    def can_log_in(self) -> bool:
        """Whether calls can be made as the API user."""
        return self.has_login or self.api_key is not None

    def client(self) -> AbstractAsyncContextManager[EspoClient]:
        """Open a client of the API user."""
        return self.client_of(None if self.has_login else self.api_key)

    async def make(self, path: str, body: Mapping[str, object]) -> None:
        """POST something that may exist already: a lost answer of an earlier try, or another administrator."""
        try:
            await self.admin.call("POST", path, body=dict(body))
        except NameTaken:
            return


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; ``text`` says what, in German. ``run`` does it once more without harm after a kill."""

    text: str
    run: Callable[[SetupSession], Awaitable[None]] = field(repr=False)
