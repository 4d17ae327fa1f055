"""What the processes of the product log, in which form, and how much of it is kept."""

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from vmh_sync.env_file import EnvSettings

_ENV = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)


class LogSettings(EnvSettings):
    """The logs of gateway and Dagster; files are those of ``vmh-sync up`` in ``VMH_HOME/logs``."""

    model_config = SettingsConfigDict(**_ENV, env_prefix="VMH_LOG_")

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="was protokolliert wird: debug, info, warning oder error"
    )
    format: Literal["text", "json"] = Field("text", description="text oder json (eine Zeile JSON je Meldung)")
    megabytes: float = Field(20.0, gt=0, description="so groß wird eine Protokolldatei von `vmh-sync up`")
    files: int = Field(5, ge=0, le=100, description="so viele ältere Protokolldateien bleiben daneben")
