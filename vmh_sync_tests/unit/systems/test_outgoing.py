"""What leaves is spelled as httpx spells it (what arrives: ``contract/test_http_connections.py``)."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmh_sync.systems.outgoing import outgoing

ORIGINS = (
    "http://a.example",
    "https://A.Example:443",
    "http://a:80",
    "http://127.0.0.1:8080",
    "https://ü.example",
    "http://[::1]:1",
)
PATHS = st.lists(
    st.sampled_from(["/", "//", ".", "..", "a", "Z9", "-_~", "%2F", " ", "ü", "?x=1", "#f", "@", ":", "+"])
)


PARAMS = st.none() | st.lists(st.tuples(st.text(), st.text() | st.none() | st.booleans() | st.integers()), max_size=3)


@given(st.sampled_from(ORIGINS), PATHS, PARAMS)
def test_an_address_is_spelled_as_httpx_spells_it(
    origin: str, path: list[str], params: list[tuple[str, object]] | None
) -> None:
    whole = origin + "/" + "".join(path)
    url = httpx.URL(whole) if params is None else httpx.URL(whole, params=params)
    sent = httpx.URL(outgoing("GET", whole, params=params, json=None, headers={}).address)
    assert (sent.host, sent.port, sent.raw_path) == (url.host, url.port, url.raw_path)


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(), st.lists))
def test_a_body_is_spelled_as_httpx_spells_it(body: object) -> None:
    request = httpx.Request("POST", "http://a.example", json=body)
    sent = outgoing("post", "http://a.example", params=None, json=body, headers={})
    assert (sent.method, sent.body or b"") == (request.method, request.content)
    assert {name: request.headers[name] for name, _ in sent.headers} == dict(sent.headers)


def test_what_is_no_header_is_not_sent() -> None:
    with pytest.raises(UnicodeEncodeError):
        outgoing("GET", "http://a.example", params=None, json=None, headers={"X-Api-Key": "schlüssel"})


def test_a_login_in_the_address_takes_the_place_of_another_one() -> None:
    sent = outgoing("GET", "http://u:p@a.example/b", params=None, json=None, headers={"Authorization": "Bearer x"})
    assert (sent.address, sent.headers) == ("http://a.example/b", [("Authorization", "Basic dTpw")])
