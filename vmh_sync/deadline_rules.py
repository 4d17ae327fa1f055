"""The firm's rules for which Termine are deadlines, as the setting ``CALENDAR_SYNC_DEADLINE_RULES`` holds them."""

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class DeadlineRuleSetting(BaseModel):
    """One rule for Termine that are deadlines: everything that it names must be met."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)
    text: list[str] = Field(default_factory=list)
    notiz: list[str] = Field(default_factory=list)
    ort: list[str] = Field(default_factory=list)
    akte: list[str] = Field(default_factory=list)
    ganztags: bool | None = None

    @field_validator("text", "notiz", "ort", "akte", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("text", "notiz", "ort", "akte")
    @classmethod
    def _words(cls, words: list[str]) -> list[str]:
        if any(not word.strip() for word in words):
            raise ValueError("ein Suchwort ist leer und träfe jeden Termin")
        return words

    @model_validator(mode="after")
    def _asks_something(self) -> "DeadlineRuleSetting":
        if not (self.text or self.notiz or self.ort or self.akte or self.ganztags is not None):
            raise ValueError("die Regel nennt kein Merkmal und träfe jeden Termin")
        return self
