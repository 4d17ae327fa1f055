"""Settings about the people who look after the sync: links for them, who is responsible, how they are told of trouble.

Part of :mod:`vmh_sync.settings`, in a file of its own for its size.
"""

import re

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from vmh_sync.env_file import EnvSettings
from vmh_sync.setting_types import CommaNames


class PeopleSettings(EnvSettings):
    """Where people find things: links on pages and in messages, and who is responsible."""

    model_config = SettingsConfigDict(env_prefix="VMH_")

    espocrm_link: str | None = Field(
        None, pattern="^https?://", description="Adresse von EspoCRM im Browser; ohne Angabe die der API ohne /api/v1"
    )
    advoware_link: str | None = Field(
        None, description="Adresse eines Beteiligten in Advoware im Browser; {betnr} wird ersetzt (leer: kein Link)"
    )
    dagster_link: str | None = Field(
        None, pattern="^https?://", description="Adresse von Dagster im Browser; ohne Angabe VMH_DAGSTER_URL"
    )
    owners: CommaNames = Field(
        ("team:abgleich",),
        description="wer in Dagster als zuständig steht, durch Komma getrennt: team:NAME oder E-Mail",
    )

    @field_validator("owners")
    @classmethod
    def _known_forms(cls, owners: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"team:[\w.-]+|[^@\s]+@[^@\s]+\.[^@\s]+", owner) for owner in owners):
            raise ValueError("möglich sind team:NAME und E-Mail-Adressen")
        return owners


class AlertSettings(EnvSettings):
    """How people are told of trouble: by e-mail, by a note in EspoCRM, by a webhook; nothing set, nobody is told."""

    model_config = SettingsConfigDict(env_prefix="VMH_ALERT_")

    email_to: CommaNames = Field(
        (), description="E-Mail-Adressen, die Störungen gemeldet bekommen, durch Komma getrennt"
    )
    email_from: str = Field("vmh-sync@localhost", description="Absender dieser E-Mails")
    smtp_host: str = Field("127.0.0.1", description="Mailserver (SMTP)")
    smtp_port: int = Field(25, ge=1, le=65535, description="Port des Mailservers")
    smtp_security: str = Field(
        "none", pattern="^(none|starttls|tls)$", description="Verschlüsselung: none, starttls oder tls"
    )
    smtp_user: str | None = Field(None, description="Benutzer am Mailserver (leer: ohne Anmeldung)")
    smtp_password: SecretStr | None = Field(None, description="Kennwort am Mailserver")
    webhook_url: SecretStr | None = Field(None, description="Adresse, an die jede Meldung als JSON geschickt wird")
    espocrm_user_id: str | None = Field(
        None, description="ID des EspoCRM-Benutzers, der jede Meldung als Aufgabe bekommt"
    )
    warnings: bool = Field(False, description="true: auch Hinweise melden, nicht nur Störungen")
    quiet_minutes: int = Field(
        10, ge=0, description="so lange (Minuten) muss eine Störung vorbei sein, bis sie als behoben gemeldet wird"
    )
