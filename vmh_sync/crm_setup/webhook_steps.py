"""Steps for the webhooks, which belong to the API user that writes, so that ``skipOwn`` keeps our own writes away."""

from collections.abc import Mapping, Sequence
from functools import partial

from vmh_sync.crm_setup.session import LeftByHand, SetupSession, Step
from vmh_sync.crm_setup.wanted import ACTIONS, ENTITIES
from vmh_sync.stored_settings import secrets_text
from vmh_sync.systems.espocrm.errors import Forbidden, ValidationRejected
from vmh_sync.systems.espocrm.internal_hosts import not_internal_advice

SECRETS = "ESPOCRM_WEBHOOK_SECRETS"


class WebhookRefused(Exception):
    """EspoCRM does not call this address; the German message says what to do, or holds the line to add."""


def wanted_webhooks(gateway: str) -> list[tuple[str, str]]:
    """Return (event, address) of all webhooks; ``gateway`` is the address under which EspoCRM reaches us."""
    root = gateway.rstrip("/")
    return [
        (f"{entity.name}.{action}", f"{root}/vmh/webhook/{entity.webhook}/{action}")
        for entity in ENTITIES
        for action in ACTIONS
    ]


async def webhook_steps(session: SetupSession) -> list[Step]:
    """Plan the webhooks that the API user lacks, and to store secrets that are not known yet."""
    if session.choices.gateway is None and session.secrets:
        return []  # an earlier set-up made them
    if session.choices.gateway is None:
        session.left.append(
            LeftByHand(
                "Ohne --webhook-url werden keine Webhooks angelegt; Änderungen werden nur durch Nachsehen bemerkt.",
                "`vmh-sync crm setup --webhook-url ADRESSE` ausführen (ADRESSE: so erreicht EspoCRM das Gateway).",
            )
        )
        return []
    known = await _known(session)
    wanted = wanted_webhooks(session.choices.gateway)
    standing = {(hook.get("event"), hook.get("url")): hook for hook in known}
    steps = [
        Step(f"Webhook {event} anlegen", partial(_create, event=event, url=url))
        for event, url in wanted
        if (event, url) not in standing
    ]
    own = [hook for pair, hook in standing.items() if pair in wanted]
    if any(str(hook.get("id")) not in session.secrets and hook.get("secretKey") for hook in own):
        steps.append(Step("Geheimnisse der vorhandenen Webhooks speichern", _keep_known))
    _note_odd(session, known, wanted)
    return steps


async def _known(session: SetupSession) -> Sequence[Mapping[str, object]]:
    """The webhooks of the API user; none while it does not exist or may not use them yet."""
    if not session.can_log_in:
        return []
    try:
        async with session.client() as espo:
            return [hook.attributes | {"id": hook.id} async for hook in espo.list_all("Webhook")]
    except Forbidden:
        return []


def _note_odd(session: SetupSession, known: Sequence[Mapping[str, object]], wanted: Sequence[tuple[str, str]]) -> None:
    events = {event for event, _ in wanted}
    elsewhere = [
        hook for hook in known if hook.get("event") in events and (hook["event"], hook.get("url")) not in wanted
    ]
    if elsewhere:
        names = ", ".join(sorted(str(hook["event"]) for hook in elsewhere))
        text = f"Webhooks des API-Benutzers, die auf eine andere Adresse zeigen: {names}."
        session.left.append(
            LeftByHand(text, "In EspoCRM unter Verwaltung → Webhooks löschen, wenn sie von früher sind.")
        )
    own = [hook for hook in known if (hook.get("event"), hook.get("url")) in wanted]
    if any(str(hook.get("id")) not in session.secrets and not hook.get("secretKey") for hook in own):
        text = "EspoCRM nennt die Geheimnisse der Webhooks nicht; ohne sie werden seine Meldungen abgewiesen."
        remedy = f"In EspoCRM unter Verwaltung → Webhooks nachsehen und in {SECRETS} eintragen (ID: Geheimnis)."
        session.left.append(LeftByHand(text, remedy, serious=True))
    for attribute, good, what in (("isActive", True, "abgeschaltet"), ("skipOwn", True, "ohne „Eigene überspringen“")):
        names = ", ".join(sorted(str(hook["event"]) for hook in own if hook.get(attribute) is not good))
        if names:
            text = f"Webhooks, die jemand geändert hat ({what}): {names}."
            session.left.append(LeftByHand(text, "In EspoCRM unter Verwaltung → Webhooks wieder einschalten."))


async def _create(session: SetupSession, *, event: str, url: str) -> None:
    async with session.client() as espo:
        # Looked for again: an earlier try may have made it without hearing the answer.
        for hook in await _known(session):
            if (hook.get("event"), hook.get("url")) == (event, url):
                _remember(session, str(hook["id"]), hook.get("secretKey"))
                return
        try:
            made = await espo.create("Webhook", {"event": event, "url": url, "skipOwn": True})
        except ValidationRejected as error:
            if error.rule == "notInternal":
                raise WebhookRefused(not_internal_advice(url)) from None
            if error.field != "url":
                raise
            raise WebhookRefused(
                f"EspoCRM nimmt die Adresse {url} nicht an ({error.rule}). Bitte --webhook-url berichtigen: eine ganze "
                "Adresse mit http:// oder https://, wie sie im Browser stünde."
            ) from None
        _remember(session, made.id, made.attributes.get("secretKey"))


async def _keep_known(session: SetupSession) -> None:
    wanted = wanted_webhooks(session.choices.gateway or "")
    for hook in await _known(session):
        if (hook.get("event"), hook.get("url")) in wanted:
            _remember(session, str(hook["id"]), hook.get("secretKey"))


def _remember(session: SetupSession, webhook_id: str, secret: object) -> None:
    """Store a secret at once, so that none is lost whatever happens next."""
    if isinstance(secret, str) and secret and webhook_id not in session.secrets:
        session.secrets[webhook_id] = session.new_secrets[webhook_id] = secret
        session.keep(SECRETS, secrets_text(session.secrets))
