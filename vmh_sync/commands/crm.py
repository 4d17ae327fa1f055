"""``vmh-sync crm setup``: shows what is missing in EspoCRM, and creates it."""

import asyncio
from dataclasses import dataclass, field

from vmh_sync.clock import SystemClock
from vmh_sync.crm_setup.steps import Step, carry_out, create_webhooks, plan_schema, plan_webhooks, planned_webhooks
from vmh_sync.settings import EspoCrmSettings, SettingsError, load
from vmh_sync.systems.espocrm.client import open_espocrm, open_espocrm_admin
from vmh_sync.systems.espocrm.errors import EspoError, Forbidden
from vmh_sync.systems.retry import RetryPolicy


@dataclass(slots=True)
class SetupDone:
    """The steps that were planned (and done, unless only a plan was wanted), and secrets of new webhooks."""

    steps: list[Step]
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    problem: str | None = None


def run_setup(*, plan_only: bool, gateway: str | None) -> SetupDone:
    """Plan and, unless ``plan_only``, create what is missing; webhooks only if ``gateway`` names our public address.

    Raises ``SettingsError`` without an administrator's login. An error of EspoCRM stands in ``problem``.
    """
    settings = load(EspoCrmSettings)
    if settings.admin_user is None or settings.admin_password is None:
        raise SettingsError(
            "ESPOCRM_ADMIN_USER oder ESPOCRM_ADMIN_PASSWORD fehlt: Anmeldung eines Administrators, nur für crm setup"
        )
    return asyncio.run(
        _setup(
            settings,
            settings.admin_user,
            settings.admin_password.get_secret_value(),
            plan_only=plan_only,
            gateway=gateway,
        )
    )


async def _setup(
    settings: EspoCrmSettings, user: str, password: str, *, plan_only: bool, gateway: str | None
) -> SetupDone:
    clock = SystemClock()
    done = SetupDone([])
    try:
        async with open_espocrm_admin(
            settings, user=user, password=password, clock=clock, retry=RetryPolicy(attempts=1)
        ) as admin:
            done.steps += await plan_schema(admin)
            if not plan_only:
                await carry_out(admin, done.steps)
        if gateway is not None:
            await _webhooks(settings, clock, gateway, done, plan_only=plan_only)
    except EspoError as error:
        done.problem = error.message_for_people
    return done


async def _webhooks(
    settings: EspoCrmSettings, clock: SystemClock, gateway: str, done: SetupDone, *, plan_only: bool
) -> None:
    async with open_espocrm(settings, clock=clock, retry=RetryPolicy(attempts=1)) as espo:
        try:
            steps = await plan_webhooks(espo, gateway)
        except Forbidden:
            if not plan_only:
                raise
            steps = planned_webhooks(gateway)
        done.steps += steps
        if not plan_only:
            async for webhook_id, secret in create_webhooks(espo, steps):
                done.secrets[webhook_id] = secret
