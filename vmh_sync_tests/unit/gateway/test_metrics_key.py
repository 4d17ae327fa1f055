"""With ``VMH_METRICS_KEY`` the numbers are for those who send the key."""

import pytest
from pydantic import SecretStr

from vmh_sync.gateway.keys import NotAllowed
from vmh_sync.gateway.monitoring.metrics import require_key

KEY = SecretStr("a-long-random-key")


@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer another-long-key", "Bearer ä", "Basic YTpi"])
def test_without_the_key_nobody_reads_the_numbers(given: str | None) -> None:
    with pytest.raises(NotAllowed) as refused:
        require_key(KEY, given)
    assert refused.value.status == 401
    assert KEY.get_secret_value() not in str(refused.value)


def test_with_the_key_and_where_none_is_set_they_are_shown() -> None:
    require_key(KEY, f"Bearer {KEY.get_secret_value()}")
    require_key(None, None)
