"""Settings of what is removed and when."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from vmh_sync.env_file import EnvSettings


class HousekeepingSettings(EnvSettings):
    """How long finished runs stay in Dagster, which never removes them by itself, and persons at least with us."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True, env_prefix="VMH_"
    )

    run_retention_days: int = Field(14, ge=1, description="so lange (Tage) bleiben erfolgreiche Läufe in Dagster")
    failed_run_retention_days: int = Field(
        90, ge=1, description="so lange (Tage) bleiben gescheiterte Läufe in Dagster"
    )
    erasure_duty_years: int = Field(
        0,
        ge=0,
        le=50,
        description="Aufbewahrungspflicht: so viele Jahre nach dem Jahr des letzten Vorgangs wird niemand gelöscht",
    )
