"""``ScheduledJob``: when the installation does what by itself (9.3.9 recording j01)."""

from vmh_sync.sandbox.crm.default_settings import JOBS
from vmh_sync.sandbox.crm.fields.table import Row


def scheduled_jobs(now: str) -> list[Row]:
    """Return the rows of a new installation."""
    return [
        {
            "id": f"{number:017x}",
            "name": name,
            "job": job,
            "status": "Active",
            "scheduling": scheduling,
            "createdAt": now,
            "modifiedAt": now,
            "createdById": "system",
        }
        for number, (name, job, scheduling) in enumerate(JOBS, 1)
    ]
