"""What the sandbox's control layer can do to the CRM: look inside, edit like a person, seed, reset, switch."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette

from vmh_sync.sandbox.crm.api import Api
from vmh_sync.sandbox.crm.errors import ApiError
from vmh_sync.sandbox.crm.fields.table import Row
from vmh_sync.sandbox.crm.people.accounts import Account
from vmh_sync.sandbox.crm.records.locking import set_locked
from vmh_sync.sandbox.crm.records.records import BOOKKEEPING
from vmh_sync.sandbox.crm.seeding import seed_records
from vmh_sync.sandbox.crm.state import OUTAGES, PERSONS, Crm
from vmh_sync.sandbox.crm.versions import Release

Json = dict[str, Any]


class CrmHooks:
    """Synchronous, quick control methods over one simulated EspoCRM.

    ``app`` is the application of :func:`vmh_sync.sandbox.crm.app.create_crm_app`. Every method takes and returns
    plain JSON; bad input, and an edit that the CRM itself refuses, raise ``ValueError`` with the reason.
    """

    def __init__(self, app: Starlette) -> None:
        self._api: Api = app.state.api
        self._delivery = app.state.delivery

    @property
    def crm(self) -> Crm:
        """The installation."""
        return self._api.crm

    def state(self) -> Json:
        """Return ``{"records": {entity: [full records]}, "fields": {entity: {attribute: type}},
        "options": {entity: {enum field: [words]}}, "users", "webhooks", "queue", "notifications"}``.

        Deleted records are included with ``deleted: true``.
        """
        crm = self.crm
        records = {
            name: [crm.render.full(layout, row) for row in self._all_rows(name)]
            for name, layout in crm.layouts.items()
            if name not in {"User", "Webhook", "Team", "ScheduledJob"}
        }
        users = [
            {"id": a.id, "userName": a.user_name, "name": a.name, "type": a.type, "isActive": a.is_active}
            for a in crm.accounts.values()
        ]
        fields = {
            name: {attribute: stored.kind for attribute, stored in layout.stored.items()}
            for name, layout in crm.layouts.items()
        }
        options = {
            name: {key: one["options"] for key, one in entity.fields.items() if "options" in one}
            for name, entity in crm.schema.items()
        }
        return {
            "records": records,
            "fields": fields,
            "options": options,
            "users": users,
            "webhooks": [dict(row) for row in crm.tables["Webhook"].rows.values()],
            "queue": self._queue(),
            "notifications": [dict(entry) for entry in crm.notifications],
        }

    def _all_rows(self, entity: str) -> list[Row]:
        table = self.crm.tables[entity]
        return [*table.rows.values(), *table.deleted.values()]

    def _queue(self) -> Json:
        webhooks = self._api.webhooks
        counts = {"events": len(webhooks.events), "items": len(webhooks.items), "failed": len(webhooks.failed)}
        return counts | {"delivered": webhooks.delivered}

    def edit(self, body: Json) -> Json:
        """Do a person's edit and return ``{"id"}``.

        ``{"entity", "id": id or null, "values": {…}, "action": "create|update|delete|silent", "user": user id}``.
        The normal validation, ``modifiedAt``, formula and webhooks apply; ``silent`` writes the values and sets
        nothing off, like a script on the server (espocrm.md B12).
        """
        entity, values = str(body.get("entity")), dict(body.get("values") or {})
        if entity not in self.crm.tables:
            raise ValueError(f"Unknown entity type {entity!r}")
        record_id = body.get("id")
        action = body.get("action") or ("update" if record_id else "create")
        user = self._person(body.get("user"))
        try:
            return {"id": self._do_edit(user, action, entity, record_id, values)}
        except ApiError as error:
            raise ValueError(f"The CRM refuses the edit: {error}") from error

    def _do_edit(self, user: Account, action: str, entity: str, record_id: Any, values: Json) -> Any:
        if action == "create":
            return self._api.records.create(user, entity, values, skip_duplicates=True)["id"]
        if action == "update":
            self._api.records.update(user, entity, str(record_id), values)
        elif action == "delete":
            self._api.records.delete(user, entity, str(record_id))
        elif action == "silent":
            self._api.records.write_silently(entity, str(record_id), values)
        else:
            raise ValueError(f"Unknown action {action!r}")
        return record_id

    def _person(self, user_id: Any) -> Account:
        if user_id:
            account = self.crm.accounts.get(str(user_id))
            if account is None:
                raise ValueError("Unknown user")
            return account
        try:
            return self.crm.account_named(PERSONS[0])
        except KeyError:
            return self.crm.admin

    def seed(self, body: Json) -> Json:
        """Insert ``{"records": {entity: [records]}}`` as given, without validation or webhooks; return the ids."""
        records = body.get("records") or {}
        return {"ids": {entity: seed_records(self.crm, entity, rows) for entity, rows in records.items()}}

    def reset(self, body: Json) -> Json:
        """Empty the CRM: records, notes, notifications, webhooks and queue; users, keys and schema stay."""
        del body
        crm, webhooks = self.crm, self._api.webhooks
        for name in list(crm.tables):
            if name not in {"User", "Team", "ScheduledJob"}:
                self._empty(name)
        for book in (crm.emails, crm.phones):
            book.clear()
        crm.notifications.clear()
        webhooks.events.clear()
        webhooks.items.clear()
        webhooks.failed.clear()
        crm.gate.clear_failures()
        crm.outage = None
        return {"reset": True}

    def _empty(self, entity: str) -> None:
        crm = self.crm
        del crm.tables[entity]
        crm.adopt(crm.schema[entity])

    def command(self, name: str, body: Json) -> Json | Awaitable[Json]:
        """Do a command and return its result; ``flush_webhooks`` must be awaited, the others are done at once.

        ``flush_webhooks`` delivers all that is due. ``set_switch`` takes ``stream`` and ``optimistic`` (``{entity:
        bool}``), ``lockable`` (``{entity: bool}``, with ``ours_too`` the sync's own fields too), ``international``
        and ``formula_dirty`` (bool), and ``version`` (an upgrade). ``outage`` takes ``{"kind": null}`` or one of
        ``maintenance``, ``database``, ``gateway``; ``maintenance`` takes ``{"on": bool}``; ``lock`` takes ``{"entity",
        "id", "on": bool}`` (10.0); ``clear_login_failures`` and ``credentials`` take nothing.
        """
        commands: dict[str, Callable[[Json], Json | Awaitable[Json]]] = {
            "flush_webhooks": self._flush,
            "set_switch": self._switch,
            "outage": self._outage,
            "maintenance": lambda given: self._outage({"kind": "maintenance" if given.get("on", True) else None}),
            "lock": self._lock,
            "clear_login_failures": self._clear_failures,
            "credentials": lambda _given: dict(self.crm.credentials()),
        }
        if name not in commands:
            raise ValueError(f"Unknown command {name!r}; known: {', '.join(sorted(commands))}")
        return commands[name](body)

    async def _flush(self, body: Json) -> Json:
        del body
        await self._delivery.run_until_idle()
        return self._queue()

    def _outage(self, body: Json) -> Json:
        kind = body.get("kind")
        if kind is not None and kind not in OUTAGES:
            raise ValueError(f"Unknown outage {kind!r}; known: {', '.join(OUTAGES)}")
        self.crm.outage = kind
        return {"outage": kind}

    def _make_lockable(self, name: str, *, on: bool, ours_too: bool) -> None:
        """As EspoCRM 10 after a set-up: the sync's own fields stay writable, unless ``ours_too``."""
        entity = self.crm.schema[name]
        entity.lockable = on
        if on:
            entity.add_field("isLocked", {"type": "bool", "readOnly": True})
        else:
            entity.fields.pop("isLocked", None)
        for field_name in (*BOOKKEEPING, "betnr"):
            if field_name in entity.fields:
                entity.fields[field_name]["notLockable"] = on and not ours_too
        self.crm.adopt(entity)

    def _lock(self, body: Json) -> Json:
        entity, record_id = str(body.get("entity")), str(body.get("id"))
        if entity not in self.crm.tables or record_id not in self.crm.tables[entity].rows:
            raise ValueError("Unknown record")
        if not self.crm.schema[entity].lockable:
            raise ValueError(f"{entity} is not lockable")
        set_locked(self.crm, entity, record_id, locked=bool(body.get("on", True)))
        return {"locked": bool(body.get("on", True))}

    def _clear_failures(self, body: Json) -> Json:
        del body
        self.crm.gate.clear_failures()
        return {}

    def _switch(self, body: Json) -> Json:
        """Set switches (``{entity: bool}`` or bool) and ``version``, and return them all."""
        crm = self.crm
        for switch in ("stream", "optimistic"):
            for entity, on in (body.get(switch) or {}).items():
                if entity not in crm.schema:
                    raise ValueError(f"Unknown entity type {entity!r}")
                setattr(crm.schema[entity], switch, bool(on))
                crm.adopt(crm.schema[entity])
        for entity, on in (body.get("lockable") or {}).items():
            self._make_lockable(entity, on=bool(on), ours_too=bool(body.get("ours_too")))
        if "international" in body:
            crm.settings["phoneNumberInternational"] = bool(body["international"])
        if "formula_dirty" in body:
            crm.formula_dirty = bool(body["formula_dirty"])
        if "version" in body:
            crm.release = Release.of(str(body["version"]))
            crm.settings["version"] = str(body["version"])
        return {
            "stream": {name: entity.stream for name, entity in crm.schema.items()},
            "optimistic": {name: entity.optimistic for name, entity in crm.schema.items()},
            "lockable": {name: entity.lockable for name, entity in crm.schema.items()},
            "international": crm.settings["phoneNumberInternational"],
            "formula_dirty": crm.formula_dirty,
            "version": crm.settings["version"],
        }
