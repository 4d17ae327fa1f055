"""Which paths the proxy asks for, who may call, and on which address the gateway listens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmh_sync.gateway.advoware.paths import BadPath, segments_of
from vmh_sync.gateway.http.listening import bare_host, own_place, require_keys
from vmh_sync.gateway.keys import NotAllowed, key_ring
from vmh_sync.settings import SettingsError, VmhSettings

KEY = "k" * 16


@pytest.mark.parametrize(
    ("endpoint", "segments"),
    [
        ("Beteiligte/4711", ("Beteiligte", "4711")),
        ("/Beteiligte", ("Beteiligte",)),
        ("api/v1/advonet/Termine", ("Termine",)),
        ("/api/v1/advonet/Beteiligte/1/Adressen/2", ("Beteiligte", "1", "Adressen", "2")),
    ],
)
def test_plain_paths(endpoint: str, segments: tuple[str, ...]) -> None:
    assert segments_of(endpoint) == segments


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "/",
        "//evil.example/x",
        "http://evil.example/",
        "https:evil",
        "file:///etc/passwd",
        "Beteiligte/../../x",
        "..",
        "Beteiligte/./1",
        "Beteiligte/%2e%2e/x",
        "Beteiligte%2F1",
        "%252e%252e",
        "Beteiligte\\..\\x",
        "Beteiligte?x=1",
        "Beteiligte#x",
        "Beteiligte/1\r\nHost: evil",
        "Beteiligte\x00",
        "Beteiligte//1",
        "Beteiligte/",
        "Beteiligte/1 2",
        "@evil.example",
        "Beteiligte/\u2024\u2024",
        "Beteiligte/a..b",
        "api/v1/advonet",
        "api/v1/Akten",
        "/api/v1/Akten",
        "API/v1/advonet/Beteiligte",
        "api/v2/advonet/Beteiligte",
        "api/v1/advonetx/Beteiligte",
        "api/v1/advonet/api/v1/advonet/Beteiligte",
        "api",
        "x" * 501,
    ],
)
def test_paths_that_could_lead_elsewhere(endpoint: str) -> None:
    with pytest.raises(BadPath):
        segments_of(endpoint)


@given(st.text(max_size=40))
def test_what_is_allowed_stays_below_the_prefix(endpoint: str) -> None:
    try:
        segments = segments_of(endpoint)
    except BadPath:
        return
    joined = "/".join(segments)
    assert joined.isascii()
    assert not set("%\\?#: ") & set(joined)
    assert all(segment and not segment.startswith(".") for segment in segments)


def test_scopes() -> None:
    ring = key_ring([{"name": "r", "key": KEY, "scopes": ["read"]}, {"name": "w", "key": "w" * 16, "scope": "write"}])

    assert ring.allow(KEY, "read").name == "r"
    assert ring.allow("w" * 16, "write").name == "w"
    assert ring.allow("w" * 16, "read").name == "w"
    with pytest.raises(NotAllowed) as refused:
        ring.allow(KEY, "write")
    assert refused.value.status == 403


@pytest.mark.parametrize("given_key", [None, "", "k" * 15, "k" * 17, "ключ"])
def test_unknown_keys(given_key: str | None) -> None:
    ring = key_ring([{"name": "r", "key": KEY, "scopes": ["read"]}])

    with pytest.raises(NotAllowed) as refused:
        ring.allow(given_key, "read")
    assert refused.value.status == 401


def test_allow_list_counts_whole_segments() -> None:
    key = key_ring([{"name": "r", "key": KEY, "paths": ["Beteiligte", "Akten/7"]}]).allow(KEY, "read")

    assert key.reaches(("Beteiligte", "1"))
    assert key.reaches(("Akten", "7"))
    assert not key.reaches(("BeteiligteGeheim",))
    assert not key.reaches(("Akten", "8"))
    assert not key.reaches(("Akten",))


@pytest.mark.parametrize(
    "entry",
    [
        {"key": KEY},
        {"name": "a b", "key": KEY},
        {"name": "a", "key": "short-secret"},
        {"name": "a", "key": KEY, "scopes": ["admin"]},
        {"name": "a", "key": KEY, "scopes": 1},
        {"name": "a", "key": KEY, "scopes": []},
        {"name": "a", "key": KEY, "paths": [1]},
        {"name": "a", "key": KEY, "paths": [""]},
    ],
)
def test_bad_entries_are_named_without_the_key(entry: dict[str, object]) -> None:
    with pytest.raises(SettingsError) as problem:
        key_ring([entry])
    assert "VMH_API_KEYS" in str(problem.value)
    assert str(entry.get("key")) not in str(problem.value)


def test_two_keys_of_one_name() -> None:
    with pytest.raises(SettingsError):
        key_ring([{"name": "a", "key": KEY}, {"name": "a", "key": "w" * 16}])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_this_machine_alone_needs_no_keys(host: str) -> None:
    require_keys(host, 0)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "gateway.example", ""])
def test_public_addresses_need_keys(host: str) -> None:
    with pytest.raises(SettingsError):
        require_keys(host, 0)
    require_keys(host, 1)


@pytest.mark.parametrize(
    ("host", "bare", "place"),
    [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1:8800"),
        ("0.0.0.0", "0.0.0.0", "127.0.0.1:8800"),
        ("::1", "::1", "[::1]:8800"),
        ("[::1]", "::1", "[::1]:8800"),
        ("[::]", "::", "[::1]:8800"),
    ],
)
def test_an_ipv6_address_of_the_gateway_may_stand_in_brackets(host: str, bare: str, place: str) -> None:
    house = VmhSettings(VMH_GATEWAY_HOST=host, VMH_GATEWAY_PORT=8800)
    assert (bare_host(house), own_place(house)) == (bare, place)
