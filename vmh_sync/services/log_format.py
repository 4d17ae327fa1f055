"""How a process of our own logs: lines of text, or lines of JSON."""

import json
import logging
from datetime import UTC, datetime

from vmh_sync.settings import LogSettings

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonLines(logging.Formatter):
    """One JSON object for each message: time, level, logger, message, and the trace of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def log_to_stderr(settings: LogSettings) -> None:
    """Let this process log as the settings say."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if settings.format == "json" else logging.Formatter(_TEXT))
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
