"""What the simulated EspoCRM answers when it refuses (specification, espocrm.md B3)."""

from typing import Any

JSON = "application/json"
HTML = "text/html; charset=UTF-8"


class ApiError(Exception):
    """An answer other than 200/201; raised anywhere, turned into a response by the dispatcher.

    ``status`` is the HTTP status, ``reason`` the value of ``X-Status-Reason`` (``None``: header absent, which
    differs from an empty one), ``body`` the JSON value to send (``None``: empty body).
    """

    def __init__(
        self,
        status: int,
        reason: str | None = None,
        body: Any = None,
        *,
        content_type: str = JSON,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {reason or ''}".strip())
        self.status = status
        self.reason = reason
        self.body = body
        self.content_type = content_type
        self.headers = headers or {}


def _translated(label: str, data: dict[str, Any], scope: str | None = None) -> dict[str, Any]:
    return {"messageTranslation": {"label": label, "scope": scope, "data": data}}


def validation_failure(entity: str, field: str, rule: str) -> ApiError:
    """The 400 that names the first bad field and the rule it breaks."""
    reason = f"Field validation failure; entityType: {entity}, field: {field}, type: {rule}."
    return ApiError(400, reason, _translated("validationFailure", {"field": field, "type": rule}))


def bad_request(reason: str) -> ApiError:
    """A 400 with a reason and an empty body."""
    return ApiError(400, reason)


def forbidden(reason: str = "") -> ApiError:
    """A 403 of the access rules (not the one of the login block, which is ``text/html``)."""
    return ApiError(403, reason)


def not_found(reason: str = "") -> ApiError:
    """A 404 with an empty body."""
    return ApiError(404, reason)


def unrelatable(entity: str, link: str, foreign: str) -> ApiError:
    """The 403 for a link to a record that does not exist."""
    reason = f"Can't relate with non-existing record. entity type: {entity}, link: {link}."
    return ApiError(403, reason, _translated("cannotRelateNonExisting", {"foreignEntityType": foreign}))


def unrelatable_forbidden(entity: str, link: str, foreign: str) -> ApiError:
    """The 403 for a link to a record that the user may not read."""
    reason = f"No foreign record access for link operation ({entity}:{link})."
    return ApiError(403, reason, _translated("cannotRelateForbidden", {"foreignEntityType": foreign, "action": "read"}))


def taken(reason: str, label: str, scope: str, data: dict[str, Any]) -> ApiError:
    """The 409 of the entity and field managers for a name that is in use."""
    return ApiError(409, reason, _translated(label, data, scope))


def locked(field: str) -> ApiError:
    """The 409 for a change of a locked record (10.0); the body names the field as people see it."""
    return ApiError(409, "cannotModifyLockedRecord", _translated("cannotModifyLockedRecord", {"field": field}))


def locked_delete() -> ApiError:
    """The 409 for the delete of a locked record (10.0)."""
    body = {"messageTranslation": {"label": "cannotRemoveLockedRecord", "scope": None}}
    return ApiError(409, "cannotRemoveLockedRecord", body)


def failure(reason: str) -> ApiError:
    """What an ``Error`` of EspoCRM looks like from outside: 500 with its text as the reason, empty body."""
    return ApiError(500, reason)


def no_route(status: int, allow: str = "") -> ApiError:
    """The router's own 404 or 405 (JSON text, no ``X-Status-Reason``)."""
    text = {404: "404 Not Found", 405: "405 Method Not Allowed"}[status]
    return ApiError(status, None, {"message": text}, headers={"Allow": allow} if allow else None)


def crash(content_type: str = JSON) -> ApiError:
    """What an uncaught PHP error looks like from outside: 500, empty, no reason."""
    return ApiError(500, None, None, content_type=content_type)
