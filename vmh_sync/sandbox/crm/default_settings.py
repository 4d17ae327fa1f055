"""Settings that a new installation has, as far as the sync and its set-up meet them (9.3.9 recording s01)."""

import copy
from typing import Any

_TABS: list[Any] = [
    {"type": "divider", "id": "342567", "text": "$CRM"},
    "Account",
    "Contact",
    "Lead",
    "Opportunity",
    {"type": "divider", "text": "$Activities", "id": "219419"},
    "Email",
    "Meeting",
    "Call",
    "Task",
    "Calendar",
    {"type": "divider", "id": "655187", "text": "$Support"},
    "Case",
    "KnowledgeBaseArticle",
    {"type": "divider", "text": None, "id": "137994"},
    "_delimiter_",
    {"type": "divider", "text": "$Marketing", "id": "463280"},
    "Campaign",
    "TargetList",
    {"type": "divider", "text": "$Business", "id": "518202"},
    "Document",
    {"type": "divider", "text": "$Organization", "id": "566592"},
    "User",
    "Team",
    "WorkingTimeCalendar",
    {"type": "divider", "text": None, "id": "898671"},
    "EmailTemplate",
    "Template",
    "Import",
]
ADMIN_ONLY = frozenset({"smsProvider", "baselineRole", "workingTimeCalendar", "apiCorsMaxAge", "starsLimit"})
FOR_SENDERS = frozenset({"outboundEmailFromAddress", "outboundEmailFromName", "outboundEmailBccAddress"})
JOBS = (
    ("Auth Token Control", "AuthTokenControl", "*/6 * * * *"),
    ("Check Group Email Accounts", "CheckInboundEmails", "*/2 * * * *"),
    ("Check Personal Email Accounts", "CheckEmailAccounts", "*/1 * * * *"),
    ("Clean-up", "Cleanup", "1 1 * * 0"),
    ("Control Knowledge Base Article Status", "ControlKnowledgeBaseArticleStatus", "10 1 * * *"),
    ("Process Webhook Queue", "ProcessWebhookQueue", "*/2 * * * *"),
    ("Send Email Notifications", "SendEmailNotifications", "*/2 * * * *"),
    ("Send Email Reminders", "SendEmailReminders", "*/2 * * * *"),
    ("Send Mass Emails", "ProcessMassEmail", "10,30,50 * * * *"),
    ("Send Scheduled Emails", "SendScheduledEmails", "*/10 * * * *"),
)
"""Name, job and schedule; all active."""


def default_settings(*, version: str, phone_international: bool, list_limit: int) -> dict[str, Any]:
    """Return the settings of a new installation."""
    return {
        "phoneNumberInternational": phone_international,
        "version": version,
        "timeZone": "Europe/Berlin",
        "applicationName": "EspoCRM",
        "dateFormat": "DD.MM.YYYY",
        "language": "en_US",
        "outboundEmailFromAddress": None,
        "recordListMaxSizeLimit": list_limit,
        "tabList": copy.deepcopy(_TABS),
        "useWebSocket": False,
        "starsLimit": 500,
    }
