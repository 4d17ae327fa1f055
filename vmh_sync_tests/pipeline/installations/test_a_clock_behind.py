"""An EspoCRM whose stamps are eleven minutes behind the ``Date`` of its answers, and which keeps no versions.

Found by a random history (``chaos --seed 70061``): a phone added within the second of our own write stayed unseen,
because by the answer's date the second was long over.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from vmh_sync.store.models import LinkRow
from vmh_sync_tests.pipeline.installations.drawn import DrawnFirm, drawn_sandbox

BEHIND = timedelta(minutes=-11)


def test_what_was_read_is_dated_by_the_clock_of_the_stamps(
    redis_url: str, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with drawn_sandbox(70061, 3) as sandbox:
        assert sandbox.description["installation"]["crm"]["skew_minutes"] == -11
        settings = {"VMH_DATABASE_URL": sqlite_url, "VMH_HOME": str(tmp_path / "vmh"), "REDIS_URL": redis_url}
        for name, value in {**sandbox.environment, **settings}.items():
            monkeypatch.setenv(name, value)
        firm = DrawnFirm(sandbox, 70061)
        firm.one_pass()
        firm.one_pass()
        latest = datetime.now(UTC) + BEHIND
        with firm.store.reading() as tx:
            rows = tx.links._connection.execute(
                select(LinkRow.espo_read_at, LinkRow.espo_modified_at).where(LinkRow.entity == "beteiligte")
            ).all()
        firm.close()
    read = [row for row in rows if row.espo_read_at is not None and row.espo_modified_at > latest - timedelta(hours=1)]
    assert read and all(row.espo_read_at <= latest for row in read)
