"""A run that stops says so in one German sentence, without a Python trace: nothing is broken in Python."""

from collections.abc import Mapping

import dagster as dg

from vmh_sync.orchestration.dagster_internals.core import DagsterUserCodeProcessError, SerializableErrorInfo


class Stopped(DagsterUserCodeProcessError, dg.Failure):
    """Ends a step as ``dg.Failure`` does; Dagster shows the sentence alone, as it shows another process's error."""

    def __init__(
        self, sentence: str, *, metadata: Mapping[str, object] | None = None, allow_retries: bool = False
    ) -> None:
        """Take the sentence, German and without personal values, and what the step shows besides."""
        alone = SerializableErrorInfo(message=sentence, stack=[], cls_name=None)
        super().__init__(  # type: ignore[no-untyped-call]
            description=sentence, metadata=metadata, allow_retries=allow_retries, user_code_process_error_infos=[alone]
        )
