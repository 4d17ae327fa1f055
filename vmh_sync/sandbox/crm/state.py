"""The simulated installation: its schema, records, users and switches."""

import base64
import random
from collections.abc import Collection
from typing import Any

from vmh_sync.sandbox.crm.config import CrmConfig
from vmh_sync.sandbox.crm.default_settings import default_settings
from vmh_sync.sandbox.crm.errors import bad_request
from vmh_sync.sandbox.crm.fields.contact_input import ContactReader, normal_email
from vmh_sync.sandbox.crm.fields.contact_rows import ContactBook
from vmh_sync.sandbox.crm.fields.ids import IdMaker
from vmh_sync.sandbox.crm.fields.installations import installation
from vmh_sync.sandbox.crm.fields.layout import SEARCH_KEY, Layout
from vmh_sync.sandbox.crm.fields.phone import stored_number
from vmh_sync.sandbox.crm.fields.schema import EntityType
from vmh_sync.sandbox.crm.fields.table import Row, Table
from vmh_sync.sandbox.crm.fields.values import stamp
from vmh_sync.sandbox.crm.fields.variation import vary
from vmh_sync.sandbox.crm.page_layouts import PageLayouts
from vmh_sync.sandbox.crm.people.accounts import FULL, Account, Role
from vmh_sync.sandbox.crm.people.login import LoginGate
from vmh_sync.sandbox.crm.rendering import Renderer
from vmh_sync.sandbox.crm.scheduled_jobs import scheduled_jobs
from vmh_sync.sandbox.crm.versions import Release

API_USER = "vmh_sync"
HMAC_USER = "vmh_sync_hmac"
PERSONS = ("sekretariat", "anwalt")
OUTAGES = ("maintenance", "database", "gateway")


class Crm:
    """One simulated EspoCRM. Everything it knows lives here, in memory; the same config gives the same ids."""

    def __init__(self, config: CrmConfig) -> None:
        self.config = config
        self.clock = config.clock
        rng = random.Random(config.seed)
        self.ids = IdMaker(config.clock, rng)
        self.formula_dirty = config.formula_dirty
        self.release = Release.of(config.version)
        self.settings = default_settings(
            version=config.version,
            phone_international=config.phone_international,
            list_limit=config.firm.list_limit,
        )
        self.labels: dict[tuple[str, str], str] = {}
        self.outage: str | None = None
        self.schema = installation(config.schema)
        self.page_layouts = PageLayouts(self.schema)
        if not self.release.describes_webhooks:
            del self.schema["Webhook"].fields["description"]
        vary(self.schema, config.firm)
        self.emails = ContactBook("email")
        self.phones = ContactBook("phone")
        self.layouts: dict[str, Layout] = {}
        self.tables: dict[str, Table] = {}
        self.readers: dict[str, dict[str, ContactReader]] = {}
        self.notifications: list[Row] = []
        self.note_number = 0
        self.notification_number = 0
        self.accounts: dict[str, Account] = {}
        self.render = Renderer(self.tables, self.accounts, self.emails, self.phones)
        for name, entity in self.schema.items():
            entity.stream = config.stream.get(name, entity.stream)
            entity.optimistic = config.optimistic.get(name, entity.optimistic)
            self.adopt(entity)
        for job in scheduled_jobs(self.now()):
            self.tables["ScheduledJob"].insert(self.layouts["ScheduledJob"].empty | job)
        self.roles: dict[str, Role] = {}
        self.gate = LoginGate(config.clock, max_failures=config.max_failed_logins, period=config.failed_login_period)
        self.admin = self.add_account(
            Account(
                self.ids.new(), config.admin_user, "Admin", "admin", password=config.admin_password or self.ids.key()
            )
        )
        if config.with_users:
            self._add_usual_users()

    def now(self) -> str:
        """Return the current moment as EspoCRM writes it (UTC, seconds)."""
        return stamp(self.clock.now())

    def adopt(self, entity: EntityType) -> None:
        """Take a new or changed entity type into use; existing rows get the new columns."""
        layout = Layout(entity)
        self.layouts[entity.name] = layout
        table = self.tables.get(entity.name)
        if table is None:
            table = self.tables[entity.name] = Table(entity.indexed)
            if layout.is_person:
                table.add_index(SEARCH_KEY)
        for attribute in layout.empty:
            table.add_column(attribute)
        for attribute in entity.indexed:
            if attribute not in table.by_value:
                table.add_index(attribute)
        self.readers[entity.name] = self._contact_readers(layout) if layout.has_contacts else {}

    def _contact_readers(self, layout: Layout) -> dict[str, ContactReader]:
        name, fields = layout.entity.name, layout.entity.fields
        return {
            "emailAddress": ContactReader(name, self.emails, fields["emailAddress"], normal_email),
            "phoneNumber": ContactReader(name, self.phones, fields["phoneNumber"], self.normal_phone),
        }

    def normal_phone(self, number: str) -> str | None:
        """Return a number as stored under the current setting, ``None`` if it is refused."""
        return stored_number(number, international=bool(self.settings["phoneNumberInternational"]))

    def add_account(self, account: Account) -> Account:
        """Let a user exist and log in."""
        self.accounts[account.id] = account
        self.gate.register(account)
        now = self.now()
        row = self.layouts["User"].empty | {
            "id": account.id,
            "userName": account.user_name,
            "name": account.name,
            "lastName": account.name,
            "type": account.type,
            "isActive": account.is_active,
            "createdAt": now,
            "modifiedAt": now,
            "createdById": account.created_by or "system",
        }
        self.tables["User"].insert(row)
        return account

    def _add_usual_users(self) -> None:
        scopes = [name for name, entity in self.schema.items() if entity.custom]
        data: dict[str, Any] = dict.fromkeys([*scopes, "Task"], FULL)
        data |= {"Webhook": True, "User": {"read": "all"}}
        role = Role(self.ids.new(), "VMH Sync", self.now(), data, permissions={"mentionPermission": "all"})
        self.roles[role.id] = role
        for name, method in ((API_USER, "ApiKey"), (HMAC_USER, "Hmac")):
            account = Account(self.ids.new(), name, name, "api", method, self.ids.key(), roles=[role])
            account.secret_key = self.ids.key() if method == "Hmac" else None
            self.add_account(account)
        for name in PERSONS:
            self.add_account(Account(self.ids.new(), name, name.capitalize(), "regular", password=self.ids.key()))

    def account_named(self, user_name: str) -> Account:
        """Return a user by login name; raises ``KeyError``."""
        for account in self.accounts.values():
            if account.user_name == user_name:
                return account
        raise KeyError(user_name)

    def credentials(self) -> dict[str, str]:
        """Return what a client needs: ``api_key``, ``hmac_api_key``, ``hmac_secret_key``, ``admin_basic`` header."""
        admin = f"{self.admin.user_name}:{self.admin.password}".encode()
        found = {"admin_basic": "Basic " + base64.b64encode(admin).decode()}
        if self.config.with_users:
            hmac_user = self.account_named(HMAC_USER)
            found["api_key"] = self.account_named(API_USER).api_key or ""
            found["hmac_api_key"] = hmac_user.api_key or ""
            found["hmac_secret_key"] = hmac_user.secret_key or ""
        return found

    def lookups(self, entity: str) -> "EntityLookups":
        """Return the lookups of one entity type."""
        return EntityLookups(self, entity)


class EntityLookups:
    """Answers a ``where``'s questions that go beyond the columns of a row."""

    def __init__(self, crm: Crm, entity: str) -> None:
        self._crm = crm
        self._entity = entity
        self._layout = crm.layouts[entity]

    def shown(self, row: Row, attribute: str) -> Any:
        """Return a linked record's name, or the current moment for ``now``."""
        if attribute == "now":
            return self._crm.now()
        return self._crm.render.linked_name(self._layout, row, attribute)

    def _book(self, attribute: str) -> ContactBook:
        return self._crm.emails if attribute == "emailAddress" else self._crm.phones

    def contact_values(self, row: Row, attribute: str) -> list[str]:
        """Return all addresses (numbers) of a row, the primary first."""
        return [item[attribute] for item in self._book(attribute).data((self._entity, row["id"]))]

    def contact_owners(self, attribute: str, value: str) -> Collection[str]:
        """Return the ids of this type's rows that have an address (number)."""
        return [owner for entity, owner in self._book(attribute).owners(value) if entity == self._entity]

    def is_linked(self, row: Row, link: str) -> bool:
        """Return whether a row has a record over a link; an unknown link is a 400."""
        definition = self._layout.entity.links.get(link)
        if definition is None:
            raise bad_request(f"Not existing link '{link}' in where item.")
        if not row:
            return False
        if definition.kind != "hasMany":
            return row.get(f"{link}Id") is not None
        table = self._crm.tables.get(definition.entity or "")
        index = table.by_value.get(f"{definition.foreign}Id") if table else None
        return bool(index and row["id"] in index)
