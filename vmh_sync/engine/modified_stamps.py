"""When EspoCRM's ``modifiedAt`` proves that a record has not changed since it was read."""

from datetime import datetime


def settled(*, link_read_at: datetime | None, modified_at: datetime | None) -> bool:
    """Whether a read came long enough after the record's stamp that nothing can hide behind the same second.

    EspoCRM's ``modifiedAt`` has whole seconds, and a row appears a moment after its stamp (espocrm.md B4, B6).
    """
    if link_read_at is None or modified_at is None:
        return False
    return (link_read_at - modified_at).total_seconds() >= 2
