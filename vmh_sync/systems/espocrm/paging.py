"""Lists paged by key, never by offset: records that change or vanish meanwhile neither hide others nor come twice."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from vmh_sync.systems.espocrm.errors import UnexpectedAnswer
from vmh_sync.systems.espocrm.query import Where, greater_than
from vmh_sync.systems.espocrm.records import EspoRecord, Page, SpoiltRow


async def by_key(
    fetch: Callable[..., Any], where: Sequence[Where], label: str, spoilt: list[SpoiltRow] | None = None
) -> AsyncIterator[EspoRecord]:
    """Yield the records of all pages that ``fetch`` gives, by ascending id.

    Rows that cannot be used are added to ``spoilt``; without it the first one raises its ``UnexpectedAnswer``, as does
    a page that leads no further. ``label`` names the request in errors.
    """
    last: str | None = None
    while True:
        page: Page = await fetch(where=where if last is None else [*where, greater_than("id", last)])
        for row in page.spoilt:
            if spoilt is None:
                raise row.error
            spoilt.append(row)
        for record in page.records:
            yield record
        if not page.more:
            return
        if page.last_id is None or page.last_id == last:
            raise UnexpectedAnswer(f"{label}: a page that leads no further, although more should follow")
        last = page.last_id
