"""Google's error bodies, as its error guide documents them."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class ApiError(Exception):
    """An answer that is no success: status, reason, message and where the fault lies."""

    status: int
    reason: str
    message: str
    domain: str = "global"
    location_type: str | None = None
    location: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> Json:
        """Return the JSON body in Google's form."""
        detail: Json = {"domain": self.domain, "reason": self.reason, "message": self.message}
        if self.location is not None:
            detail |= {"locationType": self.location_type, "location": self.location}
        return {"error": {"errors": [detail], "code": self.status, "message": self.message}}


def invalid(message: str, parameter: str | None = None) -> ApiError:
    """400: a value that cannot be."""
    return ApiError(400, "invalid", message, location_type="parameter" if parameter else None, location=parameter)


def invalid_parameter(message: str, parameter: str) -> ApiError:
    """400: a parameter of the request cannot be read."""
    return ApiError(400, "invalidParameter", message, location_type="parameter", location=parameter)


def event_type_restriction(message: str) -> ApiError:
    """400: this kind of event cannot be created here, or cannot be changed like this."""
    return ApiError(400, "eventTypeRestriction", message, "calendar")


def instance_cannot_move() -> ApiError:
    """400: single occurrences of a series stay in its calendar."""
    message = "Cannot change the organizer of an instance."
    return ApiError(400, "cannotChangeOrganizerOfInstance", message, "calendar")


def required(message: str) -> ApiError:
    """400: something is missing."""
    return ApiError(400, "required", message)


def bad_request(message: str) -> ApiError:
    """400: a combination that Google refuses."""
    return ApiError(400, "badRequest", message)


def time_range_empty(parameter: str = "timeMax") -> ApiError:
    """400: the end lies before the start."""
    message = "The specified time range is empty."
    return ApiError(400, "timeRangeEmpty", message, "calendar", "parameter", parameter)


def invalid_credentials() -> ApiError:
    """401: expired, unknown or missing access token."""
    headers = {"www-authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'}
    return ApiError(401, "authError", "Invalid Credentials", "global", "header", "Authorization", headers)


def insufficient_permissions() -> ApiError:
    """403: the token's scopes do not cover the call."""
    return ApiError(403, "insufficientPermissions", "Insufficient Permission")


def forbidden() -> ApiError:
    """403: access was taken away."""
    return ApiError(403, "forbidden", "Forbidden")


def needs_role(role: str) -> ApiError:
    """403: the account's role on the calendar is too low."""
    return ApiError(403, "requiredAccessLevel", f"You need to have {role} access to this calendar.", "calendar")


def no_attendees() -> ApiError:
    """403: a service account may not invite guests by itself."""
    message = "Service accounts cannot invite attendees without Domain-Wide Delegation of Authority."
    return ApiError(403, "forbiddenForServiceAccounts", message, "calendar")


def for_organizer_only() -> ApiError:
    """403: what all guests see belongs to the organiser."""
    message = "Shared properties can only be changed by the organizer of the event."
    return ApiError(403, "forbiddenForNonOrganizer", message, "calendar")


def not_found() -> ApiError:
    """404: it does not exist or is not shared."""
    return ApiError(404, "notFound", "Not Found")


def duplicate() -> ApiError:
    """409: the id is taken, also by a deleted event."""
    return ApiError(409, "duplicate", "The requested identifier already exists.")


def deleted() -> ApiError:
    """410: the event was deleted before."""
    return ApiError(410, "deleted", "Resource has been deleted")


def full_sync_required() -> ApiError:
    """410: the sync token is dead."""
    message = "Sync token is no longer valid, a full sync is required."
    return ApiError(410, "fullSyncRequired", message, "calendar", "parameter", "syncToken")


def updated_min_too_long_ago() -> ApiError:
    """410: Google does not remember that far back."""
    message = "The requested minimum modification time lies too far in the past."
    return ApiError(410, "updatedMinTooLongAgo", message, "calendar", "parameter", "updatedMin")


def precondition_failed() -> ApiError:
    """412: If-Match does not hold."""
    return ApiError(412, "conditionNotMet", "Precondition Failed", "global", "header", "If-Match")


def rate_limited(reason: str, status: int, retry_after: int | None) -> ApiError:
    """403 or 429 of a quota; ``reason`` is userRateLimitExceeded or rateLimitExceeded."""
    message = "User Rate Limit Exceeded" if reason == "userRateLimitExceeded" else "Rate Limit Exceeded"
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return ApiError(status, reason, message, "usageLimits", headers=headers)


def usage_limits_exceeded() -> ApiError:
    """403: too many new calendars, the account is read-only for a while."""
    return ApiError(403, "quotaExceeded", "Calendar usage limits exceeded.", "usageLimits")


DOCUMENTED: dict[str, ApiError] = {
    error.reason: error
    for error in (
        invalid("Invalid value."),
        required("Missing end time."),
        time_range_empty(),
        invalid_credentials(),
        rate_limited("rateLimitExceeded", 403, None),
        rate_limited("userRateLimitExceeded", 403, None),
        usage_limits_exceeded(),
        insufficient_permissions(),
        forbidden(),
        needs_role("writer"),
        no_attendees(),
        for_organizer_only(),
        event_type_restriction("Event type cannot be changed."),
        not_found(),
        duplicate(),
        ApiError(409, "conflict", "Conflict"),
        deleted(),
        full_sync_required(),
        updated_min_too_long_ago(),
        precondition_failed(),
        ApiError(500, "backendError", "Backend Error"),
    )
}
"""Every error of Google's guide by its reason, for fault rules."""


def not_https(address: str) -> ApiError:
    """400: a channel's address that is not https."""
    return ApiError(400, "push.webhookUrlNotHttps", f"WebHook callback must be HTTPS: {address}")


def channel_not_unique(channel_id: str) -> ApiError:
    """400: a channel id that was used before."""
    return ApiError(400, "channelIdNotUnique", f"Channel id {channel_id} not unique")


def channel_not_found(channel_id: str) -> ApiError:
    """404: no such channel, or not of this caller and resource."""
    return ApiError(404, "notFound", f"Channel '{channel_id}' not found for project")
