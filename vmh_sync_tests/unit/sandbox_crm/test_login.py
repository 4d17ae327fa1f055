"""Logging in to the simulated EspoCRM and being locked out (specification, espocrm.md B2)."""

import base64
import hashlib
import hmac

from vmh_sync_tests.unit.sandbox_crm.conftest import Bench


def signed(bench: Bench, text: str, *, legacy: bool = False) -> dict[str, str]:
    digest = hmac.new(bench.keys["hmac_secret_key"].encode(), text.encode(), hashlib.sha256)
    value = digest.digest() if legacy else digest.hexdigest().encode()
    token = base64.b64encode(bench.keys["hmac_api_key"].encode() + b":" + value).decode()
    return {"X-Hmac-Authorization": token, "X-Api-Key": ""}


async def test_hmac_signs_method_and_path_without_query(bench: Bench) -> None:
    for headers, status in (
        (signed(bench, "GET /CBeteiligte"), 200),
        (signed(bench, "GET /CBeteiligte", legacy=True), 200),
        (signed(bench, "GET /CBeteiligte?maxSize=1"), 401),
        (signed(bench, "POST /CBeteiligte"), 401),
    ):
        response = await bench.client.get("CBeteiligte", params={"maxSize": 1}, headers=headers)
        assert response.status_code == status


async def test_the_twelfth_call_is_blocked_for_a_minute_with_the_good_key_too(bench: Bench) -> None:
    for _ in range(11):
        assert (await bench.client.get("CBeteiligte", headers={"X-Api-Key": "falsch"})).status_code == 401
    blocked = await bench.client.get("CBeteiligte")
    assert (blocked.status_code, blocked.content) == (403, b"")
    assert "X-Status-Reason" not in blocked.headers

    bench.later(seconds=59)
    assert (await bench.client.get("CBeteiligte")).status_code == 403
    bench.later(seconds=1)
    assert (await bench.client.get("CBeteiligte")).status_code == 200


async def test_ten_failures_do_not_block(bench: Bench) -> None:
    for _ in range(10):
        await bench.client.get("CBeteiligte", headers={"X-Api-Key": "falsch"})

    assert (await bench.client.get("CBeteiligte")).status_code == 200


async def test_no_login_at_all_counts_for_nothing(bench: Bench) -> None:
    del bench.client.headers["X-Api-Key"]
    for _ in range(20):
        response = await bench.client.get("CBeteiligte")
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, 'Basic realm=""')
