"""Dagster's run queue, looked at twice a second.

``dequeue_interval_seconds`` takes whole seconds only, so that a launch waits half a second on average before anything
happens; a person's edit waits with it. This is the same queue with the same settings and limits, only looked at more
often. One look is one small query.
"""

from dagster._core.run_coordinator import QueuedRunCoordinator

INTERVAL_SECONDS = 0.4
"""The daemon sleeps in steps of half a second (``IntervalDaemon.core_loop``): anything below means one step."""


class PromptQueue(QueuedRunCoordinator):
    """``run_coordinator`` of ``dagster.yaml``; takes the configuration of Dagster's ``QueuedRunCoordinator``."""

    @property
    def dequeue_interval_seconds(self) -> float:  # type: ignore[override]  # Dagster's daemon takes fractions
        """Seconds between two looks at the queue; what is configured holds when it is longer than a second."""
        configured = super().dequeue_interval_seconds
        return float(configured) if configured > 1 else INTERVAL_SECONDS
