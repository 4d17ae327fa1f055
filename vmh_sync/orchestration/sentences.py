"""A run that stops says so in one German sentence: no Python trace stands before it, since nothing is broken in Python."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterUserCodeProcessError
from dagster_shared.error import SerializableErrorInfo


class Stopped(dg.Failure, DagsterUserCodeProcessError):  # type: ignore[misc]  # Dagster takes either as it is
    """Ends a step as ``dg.Failure`` does; Dagster shows the sentence alone, as it shows another process's error."""

    def __init__(
        self, sentence: str, *, metadata: Mapping[str, Any] | None = None, allow_retries: bool = False
    ) -> None:
        """Take the sentence, German and without personal values, and what the step shows besides."""
        dg.Failure.__init__(self, description=sentence, metadata=metadata, allow_retries=allow_retries)
        self.user_code_process_error_infos = [SerializableErrorInfo(message=sentence, stack=[], cls_name=None)]
