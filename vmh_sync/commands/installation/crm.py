"""``vmh-sync crm setup``: shows what is missing in EspoCRM, creates it, and says what is left by hand."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial

from pydantic import SecretStr

from vmh_sync.clock import SystemClock
from vmh_sync.commands.screens.unreachable import blocked_way
from vmh_sync.crm_setup import steps as setup
from vmh_sync.crm_setup.people_steps import UnknownChoice
from vmh_sync.crm_setup.session import LeftByHand, SetupChoices, SetupSession, Step
from vmh_sync.crm_setup.steps import NotAdministrator, Progress
from vmh_sync.crm_setup.webhook_steps import SECRETS, WebhookRefused
from vmh_sync.settings import EspoCrmSettings, SettingsError, VmhSettings, load
from vmh_sync.stored_settings import StoredSettings
from vmh_sync.systems.espocrm.client import EspoClient, open_espocrm, open_espocrm_admin
from vmh_sync.systems.espocrm.errors import (
    EspoError,
    Forbidden,
    LockedOut,
    LoginRejected,
    Maintenance,
    OutcomeUnknown,
    Rejected,
    Transient,
    UnexpectedAnswer,
    ValidationRejected,
)
from vmh_sync.systems.retry import RetryPolicy

_STEP_SECONDS = 120.0
"""Making an entity type or a field lets the real EspoCRM rebuild its database; that takes longer than a usual call."""

_WHOSE_LOGIN = (
    "EspoCRM lehnt die Anmeldung ab: Bitte ESPOCRM_ADMIN_USER und ESPOCRM_ADMIN_PASSWORD prüfen, und ESPOCRM_API_KEY, "
    "falls er schon eingetragen ist. Nach mehreren Versuchen nimmt EspoCRM eine Minute lang keine Anmeldung an."
)
_SILENT = "EspoCRM antwortet gerade nicht; bitte denselben Befehl später noch einmal aufrufen."
_SAID: tuple[tuple[type[EspoError], str], ...] = (
    (ValidationRejected, "EspoCRM nimmt eine Angabe nicht an"),
    (Forbidden, "EspoCRM erlaubt das nicht"),
    (Rejected, "EspoCRM lehnt das ab"),
    (
        LockedOut,
        "EspoCRM lässt nach zu vielen Fehlanmeldungen niemanden herein; bitte in zwei Minuten noch einmal aufrufen",
    ),
    (Maintenance, "EspoCRM ist im Wartungsmodus; bitte danach noch einmal aufrufen"),
    (OutcomeUnknown, "EspoCRM hat das nicht bestätigt; der nächste Aufruf sieht nach und macht weiter"),
    (UnexpectedAnswer, "EspoCRM antwortet anders als erwartet; bitte ESPOCRM_API_BASE_URL und sein Protokoll prüfen"),
)


@dataclass(slots=True)
class SetupDone:
    """The steps that were planned (and done, unless only a plan was wanted), secrets of new webhooks, what is left."""

    steps: list[Step]
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    left: list[LeftByHand] = field(default_factory=list)
    problem: str | None = None

    @property
    def is_serious(self) -> bool:
        """Whether something is left without which nothing works."""
        return any(one.serious for one in self.left)


def run_setup(choices: SetupChoices, *, plan_only: bool, progress: Progress) -> SetupDone:
    """Plan and, unless ``plan_only``, create what is missing.

    Raises ``SettingsError`` without an administrator's login. An error of EspoCRM stands in ``problem``.
    """
    settings = _settings()
    stored = StoredSettings(load(VmhSettings).home)
    opened = open_espocrm_admin(
        settings.model_copy(update={"api_timeout_seconds": max(settings.api_timeout_seconds, _STEP_SECONDS)}),
        clock=SystemClock(),
        retry=RetryPolicy(attempts=1),
    )
    return asyncio.run(_setup(settings, stored, opened, choices, plan_only=plan_only, progress=progress))


def _settings() -> EspoCrmSettings:
    """The settings of EspoCRM; the API key may be missing, since set-up makes the API user."""
    try:
        return load(EspoCrmSettings)
    except SettingsError as error:
        if "ESPOCRM_API_KEY fehlt" not in str(error) or "\n" in str(error):
            raise
    return load(partial(EspoCrmSettings, api_key=SecretStr("")))


async def _setup(
    settings: EspoCrmSettings,
    stored: StoredSettings,
    opened: AbstractAsyncContextManager[EspoClient],
    choices: SetupChoices,
    *,
    plan_only: bool,
    progress: Progress,
) -> SetupDone:
    done = SetupDone([])
    async with opened as admin:
        session = SetupSession(
            admin=admin,
            client_of=_clients(settings),
            keep=stored.keep,
            choices=choices,
            has_login=bool(settings.api_key.get_secret_value()),
            default_assignee=settings.default_assignee_id,
            default_team=settings.default_team_id,
            secrets={name: value.get_secret_value() for name, value in settings.webhook_secrets.items()},
        )
        try:
            await setup.check_administrator(session)
            done.steps += await setup.plan(session)
            if not plan_only:
                await setup.carry_out(session, done.steps, progress)
            await setup.note_remaining(session, settings.default_assignee_id, settings.default_team_id)
        except (NotAdministrator, UnknownChoice, WebhookRefused) as error:
            done.problem = str(error)
        except LoginRejected:
            done.problem = _WHOSE_LOGIN
        except Transient:
            done.problem = " ".join((_SILENT, *blocked_way("espocrm")))
        except EspoError as error:
            done.problem = _stopped(session.doing, error)
        done.secrets, done.left = session.new_secrets, list(session.left)
    _note_overruled(done, stored)
    return done


def _stopped(doing: str, error: EspoError) -> str:
    """What EspoCRM said to the step; the errors' own words speak of records and of passes that come again."""
    words = next((words for kind, words in _SAID if isinstance(error, kind)), error.message_for_people.rstrip("."))
    return f"{f'Beim Schritt „{doing}“: ' if doing else ''}{words} ({error.detail})."


def _clients(settings: EspoCrmSettings) -> Callable[[str | None], AbstractAsyncContextManager[EspoClient]]:
    def opened(key: str | None) -> AbstractAsyncContextManager[EspoClient]:
        chosen = (
            settings if key is None else settings.model_copy(update={"api_key": SecretStr(key), "secret_key": None})
        )
        return open_espocrm(chosen, clock=SystemClock(), retry=RetryPolicy(attempts=1))

    return opened


def _note_overruled(done: SetupDone, stored: StoredSettings) -> None:
    """A setting that stands in the environment or in ``.env`` overrules what was stored: then say so."""
    if not done.secrets or _settings().webhook_secrets.keys() >= done.secrets.keys():
        return
    done.left.append(
        LeftByHand(
            f"{SECRETS} steht schon in der Umgebung oder in .env und geht dem Gespeicherten vor.",
            f"Dort {SECRETS}={stored.read().get(SECRETS)} eintragen oder die Einstellung entfernen.",
            serious=True,
        )
    )
