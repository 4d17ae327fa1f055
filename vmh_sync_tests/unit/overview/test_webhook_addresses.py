"""Two gateways at one EspoCRM: only what leads to another place counts, and no address is too odd to be read."""

import pytest

from vmh_sync.overview.webhook_addresses import second_gateway


def hooks(*addresses: str, **more: object) -> list[dict[str, object]]:
    return [{"url": f"{one}/vmh/webhook/beteiligte/update", **more} for one in addresses]


FIRST = hooks("https://gw.example")


@pytest.mark.parametrize(
    "same", ["https://gw.example:443", "http://gw.example:80", "https://GW.Example", "https://gw.example/"]
)
def test_another_spelling_of_one_address_is_no_second_gateway(same: str) -> None:
    assert second_gateway(FIRST + hooks(same)) is None


def test_a_webhook_that_is_switched_off_tells_nobody_anything() -> None:
    assert second_gateway(FIRST + hooks("https://alt.example", isActive=False)) is None


@pytest.mark.parametrize(
    ("other", "shown"),
    [
        ("https://gw.example:8443", "gw.example:8443"),
        ("https://gw.example/other", "gw.example/other"),
        ("https://[::1]:8800", "[::1]:8800"),
        ("https://user:secret@[::1", "[::1"),
        ("https://gw.example:port", "gw.example:port"),
    ],
)
def test_another_place_is_named_without_a_secret_however_odd_its_address(other: str, shown: str) -> None:
    said = second_gateway(FIRST + hooks(other, isActive=True))
    assert said is not None
    assert f"2 Gateways ({', '.join(sorted([shown, 'gw.example']))})" in said
