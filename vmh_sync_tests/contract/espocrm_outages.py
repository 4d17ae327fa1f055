"""Outages and bad logins between the recordings: what stood between the CRM and its callers then."""

from vmh_sync_tests.contract.espocrm_replay import Replay

FAILED_LOGINS = 11
SYNC_USER = "6b0465319b3f4367b"
FLAGS = "6b046f2ab509cfd42"


async def maintenance(replay: Replay) -> None:
    replay.seed("CBeteiligte", "6b046a47da0ce2f29", lastName="Stoerung", createdAt="2026-11-23 16:31:03")
    replay.hooks.command("outage", {"kind": "maintenance"})


async def maintenance_over(replay: Replay) -> None:
    replay.hooks.command("outage", {"kind": None})


async def user_off(replay: Replay) -> None:
    await replay.call("PUT", f"User/{SYNC_USER}", {"isActive": False}, as_user="admin")


async def database_down(replay: Replay) -> None:
    await replay.call("PUT", f"User/{SYNC_USER}", {"isActive": True}, as_user="admin")
    replay.hooks.command("outage", {"kind": "database"})


async def database_back(replay: Replay) -> None:
    replay.hooks.command("outage", {"kind": None})


async def php_down(replay: Replay) -> None:
    replay.hooks.command("outage", {"kind": "gateway"})


async def fail_logins(replay: Replay, headers: dict[str, str]) -> None:
    """Log in wrongly as often as just does not block yet; each must be a 401."""
    replay.hooks.command("outage", {"kind": None})
    replay.hooks.command("clear_login_failures", {})
    for _ in range(FAILED_LOGINS):
        response = await replay.client.get("/api/v1/CBeteiligte", headers=headers)
        assert response.status_code == 401


async def bad_keys(replay: Replay) -> None:
    await fail_logins(replay, {"X-Api-Key": "0" * 32})


async def bad_hmacs(replay: Replay) -> None:
    header = replay.hmac_header("GET", "http://crm.example/api/v1/CBeteiligte", wrong=True)
    await fail_logins(replay, {"X-Hmac-Authorization": header})


async def bad_passwords(replay: Replay) -> None:
    await fail_logins(replay, {"Authorization": "Basic YWRtaW46d3Jvbmc="})


async def log_cleared(replay: Replay) -> None:
    replay.hooks.command("clear_login_failures", {})


async def bad_keys_again(replay: Replay) -> None:
    await fail_logins(replay, {"X-Api-Key": "0" * 32})


async def block_over(replay: Replay) -> None:
    # The recording is the first call that was let in again, 63 s after the last failure.
    table = replay.crm.tables["CBeteiligte"]
    table.update(table.rows[replay.ours[FLAGS]], {"createdAt": "2026-11-23 16:51:54"})
    replay.later(63)


OUTAGE_STEPS = {
    "x01_maintenance_get": maintenance,
    "x03_after_maintenance": maintenance_over,
    "x04_user_inactive": user_off,
    "x06_db_down_get": database_down,
    "x08_db_back": database_back,
    "x09_fpm_down_502": php_down,
    "x10_bad_key_last": bad_keys,
    "x12_bad_hmac_last": bad_hmacs,
    "x14_bad_basic_last": bad_passwords,
    "x16_after_clearing_auth_log": log_cleared,
    "x20_bad_key_threshold": bad_keys_again,
    "x21_good_key_while_blocked": block_over,
}
"""Recording name -> what happened right before it."""
