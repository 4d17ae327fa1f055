"""The three logins (espocrm.md B2) against headers recorded on a real EspoCRM 9.2.7."""

import base64
import re

import pytest
from pydantic import SecretStr

from vmh_sync.settings import EspoCrmSettings
from vmh_sync.systems.espocrm.auth import basic_login, hmac_login, key_login, login_of

# Recordings a03_hmac_ok, y03_hmac_list_with_query (the same path with another query), y02_hmac_put.
A03 = (
    "MTZiYjQzOTJhN2ExZDRmMzVjMzVmMzcwNjE5NTQ1MjE6ZTFmM2Y2ZmU0OWEwYTg5ZDQyMDMxOWEyOWNhOGQzZWU4YzJkNWUyNGI0MmRmNjFj"
    "ODVhOTNlYjBjZWQzNzI4OA=="
)
Y02 = (
    "MTZiYjQzOTJhN2ExZDRmMzVjMzVmMzcwNjE5NTQ1MjE6M2VlYmZmMjYwY2I3NWEyNWIyYjAwZTEzYjdjMThiOWYzZWM1MDNjYjBjMDIzMTc4"
    "MmU1NDE5ZTE1MDYxYjk3Yw=="
)


@pytest.mark.parametrize(
    ("method", "path", "digest"),
    [  # made with openssl dgst -sha256 -hmac
        ("GET", "CBeteiligte", "0f7217fe73f60f5c65ac1fbb4d2ddc383a62427e50c1667bfd0ffbcdbe2e3287"),
        ("PUT", "CBeteiligte/6b046d5dd9f84a34a", "218b626b4c4ec02f93bce9274ec80a4a7374465b95d35db3891ac2d8067765aa"),
    ],
)
def test_hmac_signs_method_and_path_in_hex(method: str, path: str, digest: str) -> None:
    header = hmac_login("16bb4392a7a1d4f35c35f37060954521", "geheim")(method, path)["X-Hmac-Authorization"]
    assert base64.b64decode(header).decode() == f"16bb4392a7a1d4f35c35f37060954521:{digest}"


@pytest.mark.parametrize("recorded", [A03, Y02])
def test_hmac_has_the_recorded_form(recorded: str) -> None:
    key = base64.b64decode(recorded).decode().split(":")[0]
    ours = hmac_login(key, "another secret")("GET", "CBeteiligte")["X-Hmac-Authorization"]
    form = re.compile(rf"{key}:[0-9a-f]{{64}}")
    assert form.fullmatch(base64.b64decode(recorded).decode())
    assert form.fullmatch(base64.b64decode(ours).decode())
    assert len(ours) == len(recorded)


def test_plain_key_and_basic() -> None:
    assert key_login("k")("GET", "X") == {"X-Api-Key": "k"}
    assert basic_login("admin", "pä:ss")("GET", "X") == {
        "Authorization": "Basic " + base64.b64encode("admin:pä:ss".encode()).decode()
    }


def test_secret_key_means_hmac(settings: EspoCrmSettings) -> None:
    with_secret = settings.model_copy(update={"secret_key": SecretStr("s")})
    assert login_of(settings)("GET", "X").keys() == {"X-Api-Key"}
    assert login_of(with_secret)("GET", "X").keys() == {"X-Hmac-Authorization"}
