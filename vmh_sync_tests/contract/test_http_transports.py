"""What the clients rely on below them.

The servers are bare sockets that misbehave. What matters most: a request that may have arrived is never reported as
not sent, because what was certainly not sent is sent again, and a create would be made twice.
"""

import asyncio
import gzip
from pathlib import Path

import pytest

from vmh_sync.systems import bounded_answer
from vmh_sync.systems.errors import NoAnswerError, NotSentError
from vmh_sync.systems.http import trusted_certificates
from vmh_sync.systems.transport import HttpCall, RawAnswer
from vmh_sync_tests.fixtures.certificates import Authority
from vmh_sync_tests.fixtures.http_transports import BODY, PATIENT, Client, call, opened, opened_with_httpx
from vmh_sync_tests.fixtures.rogue import (
    ANSWER,
    Habit,
    Talk,
    answering,
    dripping,
    endless,
    once,
    resetting,
    rogue,
    silent,
    silent_in_the_body,
    stuck,
    unheard,
)

pytestmark = pytest.mark.usefixtures("without_proxies")

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SHORT = 0.2
"""For servers that never answer: each such test lasts so long."""


# What was not sent


async def test_a_refused_connection_is_not_sent() -> None:
    async with rogue(silent) as server:
        pass
    async with opened() as transport:
        with pytest.raises(NotSentError):
            await transport.send(call(server), retry=False)


@pytest.mark.parametrize("url", ["nowhere/x", "ftp://127.0.0.1/x", "https:///x"])
async def test_an_address_that_is_none_is_not_sent(url: str) -> None:
    async with opened() as transport:
        with pytest.raises(NotSentError):
            await transport.send(HttpCall("POST", url, "x", body=BODY), retry=False)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    one = Authority.create(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(one.file))
    return one


async def test_an_authority_of_the_firms_own_is_trusted(authority: Authority) -> None:
    async with rogue(answering(), tls=authority.server("127.0.0.1")) as server, opened() as transport:
        for _ in range(5):
            assert (await transport.send(call(server), retry=False)).json() == {"id": "a1"}
        assert server.connections == 1


async def test_an_authority_that_is_renewed_is_trusted_by_a_process_that_knew_the_one_before(
    authority: Authority,
) -> None:
    known = trusted_certificates()
    assert trusted_certificates() is known
    renewed = Authority.create(authority.folder)
    async with rogue(answering(), tls=renewed.server("127.0.0.1")) as server, opened() as transport:
        assert (await transport.send(call(server), retry=False)).json() == {"id": "a1"}


@pytest.mark.parametrize("fault", ["another authority", "another name"])
async def test_a_certificate_that_is_refused_means_not_sent(authority: Authority, tmp_path: Path, fault: str) -> None:
    (tmp_path / "other").mkdir()
    signer = Authority.create(tmp_path / "other") if fault == "another authority" else authority
    certificate = signer.server("127.0.0.1" if fault == "another authority" else "127.0.0.9")
    async with rogue(answering(), tls=certificate) as server, opened() as transport:
        with pytest.raises(NotSentError):
            await transport.send(call(server), retry=False)
        assert not server.arrived


def tunnelling(answer: bytes) -> Habit:
    """Do as a proxy does that is asked for a tunnel: connect, and carry bytes to and fro."""

    async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while part := await source.read(65536):
            target.write(part)
        target.close()

    async def habit(talk: Talk) -> None:
        asked = await talk.request()
        await talk.say(answer)
        if asked is not None and b" 200 " in answer:
            host, port = asked.line.split()[1].split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            await asyncio.gather(carry(talk.reader, writer), carry(reader, talk.writer))

    return habit


@pytest.mark.parametrize("named", ["HTTPS_PROXY", "ALL_PROXY"])
async def test_https_goes_through_the_tunnel_of_the_proxy(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    through = rogue(tunnelling(HEAD + b"\r\n"))
    async with rogue(answering(), tls=authority.server("127.0.0.1")) as server, through as proxy:
        monkeypatch.setenv(named, proxy.url.replace("//", "//web:ge%40heim@"))
        async with opened() as transport:
            for _ in range(3):
                assert (await transport.send(call(server), retry=False)).json() == {"id": "a1"}
    assert [one.line for one in proxy.arrived] == [f"CONNECT {server.url.removeprefix('https://')} HTTP/1.1"]
    assert proxy.arrived[0].header("proxy-authorization") == "Basic d2ViOmdlQGhlaW0="
    assert [one.line for one in server.arrived] == 3 * ["POST /api/v1/CBeteiligte HTTP/1.1"]
    assert server.connections == 1


@pytest.mark.parametrize("fault", ["refused", "another name"])
async def test_what_gets_through_no_proxy_or_to_another_server_is_not_sent(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    through = rogue(tunnelling(refusal if fault == "refused" else HEAD + b"\r\n"))
    certificate = authority.server("127.0.0.1" if fault == "refused" else "127.0.0.9")
    async with rogue(answering(), tls=certificate) as server, through as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        async with opened() as transport:
            with pytest.raises(NotSentError):
                await transport.send(call(server), retry=False)
    assert not server.arrived


@pytest.mark.parametrize("habit", [stuck, unheard])
async def test_a_handshake_that_comes_to_nothing_means_not_sent(habit: Habit) -> None:
    async with rogue(habit) as server, opened(SHORT) as transport:
        url = server.url.replace("http://", "https://")
        with pytest.raises(NotSentError):
            await transport.send(HttpCall("POST", url, "x", body=BODY), retry=False)


# What was sent and not answered


BROKEN: dict[str, Habit] = {
    "closed": once(),
    "reset": resetting,
    "no HTTP": once(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "HTTP/2": once(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64\x00\x04\x00\x10\x00\x00"),
    "TLS": once(b"\x15\x03\x03\x00\x02\x02\x46"),
    "no status": once(b"HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n"),
    "no header": once(HEAD, b"Content-Length 2\r\n\r\n{}"),
    "NUL in a header": once(HEAD, b"X-A: \x00b\r\nContent-Length: 2\r\n\r\n{}"),
    "no length": once(HEAD, b"Content-Length: two\r\n\r\n{}"),
    "negative length": once(HEAD, b"Content-Length: -2\r\n\r\n{}"),
    "two lengths": once(HEAD, b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    "header too long": once(HEAD, b"X-Long: ", b"x" * 300_000, b"\r\nContent-Length: 2\r\n\r\n{}"),
    "body broken off": once(HEAD, b"Content-Length: 50\r\n\r\n{"),
    "chunk broken off": once(CHUNKED, b"20\r\n{"),
    "last chunk missing": once(CHUNKED, b"2\r\n{}\r\n"),
    "bad chunk": once(CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n"),
    "chunk longer than told": once(CHUNKED, b"1\r\n{}\r\n0\r\n\r\n"),
    "no gzip": once(HEAD, b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
}
NEVER: dict[str, Habit] = {"silent": silent, "silent in the body": silent_in_the_body}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "GET"])
@pytest.mark.parametrize("fault", BROKEN)
async def test_a_request_that_arrived_and_got_no_whole_answer_is_never_called_not_sent(method: str, fault: str) -> None:
    async with rogue(BROKEN[fault]) as server, opened() as transport:
        with pytest.raises(NoAnswerError):
            await transport.send(call(server, method), retry=False)
        assert len(server.arrived) == 1


@pytest.mark.parametrize("fault", NEVER)
async def test_an_answer_is_waited_for_as_long_as_set(fault: str) -> None:
    async with rogue(NEVER[fault]) as server, opened(SHORT) as transport:
        with pytest.raises(NoAnswerError):
            await transport.send(call(server), retry=False)
        assert len(server.arrived) == 1


async def test_an_answer_that_comes_drop_by_drop_is_given_up() -> None:
    """Each part comes in time, and the whole never: a caller would be held up for hours."""
    async with rogue(dripping) as server, opened(SHORT) as transport:
        with pytest.raises(NoAnswerError):
            await asyncio.wait_for(transport.send(call(server), retry=False), PATIENT)


PACKED = gzip.compress(b"0" * 300_000)


def packed(encoding: bytes, body: bytes) -> Habit:
    length = str(len(body)).encode()
    return once(HEAD, b"Content-Encoding: ", encoding, b"\r\nContent-Length: ", length, b"\r\n\r\n", body)


SWELLING: dict[str, Habit] = {
    "no end": endless,
    "packed": packed(b"gzip", PACKED),
    "packed twice": packed(b"gzip, gzip", gzip.compress(PACKED)),
}


@pytest.mark.parametrize("fault", SWELLING)
async def test_an_answer_longer_than_any_is_given_up(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_answer, "LONGEST", 200_000)
    async with rogue(SWELLING[fault]) as server, opened() as transport:
        with pytest.raises(NoAnswerError):
            await asyncio.wait_for(transport.send(call(server), retry=False), PATIENT)


async def test_a_connection_reset_before_the_request_was_read_may_have_carried_it() -> None:
    async with rogue(unheard) as server, opened() as transport:
        with pytest.raises(NoAnswerError):
            await transport.send(call(server), retry=False)


async def test_a_server_that_stops_reading_is_given_up() -> None:
    async with rogue(stuck) as server, opened(SHORT) as transport:
        long = HttpCall("POST", server.url, "x", body="x" * 30_000_000)
        with pytest.raises(NoAnswerError):
            await asyncio.wait_for(transport.send(long, retry=False), PATIENT)


@pytest.mark.parametrize(
    "answer",
    [HEAD + b"Content-Length: 12\r\nX: y\r\n\r\n" + b'{"id": "a1"}', CHUNKED + b'c\r\n{"id": "a1"}\r\n0\r\n\r\n'],
)
async def test_an_answer_cut_anywhere_is_no_answer(answer: bytes) -> None:
    cut = 0

    async def habit(talk: Talk) -> None:
        await talk.request()
        await talk.say(answer[:cut])

    async with rogue(habit) as server, opened() as transport:
        for cut in range(len(answer)):  # noqa: B007 - the server reads it
            with pytest.raises(NoAnswerError):
                await transport.send(call(server), retry=False)
        assert len(server.arrived) == len(answer)
        cut = len(answer)
        assert (await transport.send(call(server), retry=False)).json() == {"id": "a1"}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "GET", "POST"])
async def test_nothing_is_sent_a_second_time_when_a_kept_connection_breaks(method: str) -> None:
    async def habit(talk: Talk) -> None:
        await talk.request()
        if server.connections == 1:
            await talk.say(ANSWER)
            await talk.request()

    async with rogue(habit) as server, opened() as transport:
        await transport.send(call(server, "GET"), retry=False)
        with pytest.raises(NoAnswerError):
            await transport.send(call(server, method), retry=False)
        assert [one.line.split()[0] for one in server.arrived] == ["GET", method]


# Answers


GOOD: dict[str, tuple[bytes, ...]] = {
    "plain": (ANSWER,),
    "chunked": (CHUNKED, b'6\r\n{"id":\r\n6;x=y\r\n "a1"}\r\n0\r\nX-Trailer: t\r\n\r\n'),
    "until the end": (b"HTTP/1.0 200 OK\r\n\r\n", b'{"id": "a1"}'),
    "gzip": (
        HEAD,
        b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(gzip.compress(b'{"id": "a1"}', mtime=0)),
        gzip.compress(b'{"id": "a1"}', mtime=0),
    ),
    "nothing": (b"HTTP/1.1 204 No Content\r\n\r\n",),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",),
    "hints before": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", ANSWER),
    "no reason": (b"HTTP/1.1 409\r\nContent-Length: 2\r\n\r\n{}",),
    "reason of EspoCRM": (
        b"HTTP/1.1 400 Bad\r\nX-Status-Reason: Field validation failure; entityType: C, field: f, type: required\r\n",
        b"Content-Length: 0\r\n\r\n",
    ),
    "umlauts in a header": (b"HTTP/1.1 403 Nein\r\nX-Status-Reason: f\xc3\xbcr\r\nContent-Length: 0\r\n\r\n",),
    "long header": (HEAD, b"X-Long: " + b"x" * 60_000 + b"\r\nContent-Length: 2\r\n\r\n{}"),
    "many headers": (HEAD, b"".join(b"X-%d: y\r\n" % i for i in range(200)), b"Content-Length: 2\r\n\r\n{}"),
    "the same header twice": (HEAD, b"X-A: 1\r\nX-A: 2\r\nContent-Length: 2\r\n\r\n{}"),
    "latin text": (
        b"HTTP/1.1 500 Oops\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Length: 6\r\n\r\nM\xfcller",
    ),
    "redirect": (b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",),
    "page of a relay": (b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<a/>",),
    "no JSON": (HEAD, b"Content-Type: application/json\r\nContent-Length: 1\r\n\r\n{"),
}


async def _answer(client: Client, parts: tuple[bytes, ...]) -> tuple[int, list[tuple[str, str]], object, str]:
    async with rogue(once(*parts)) as server, client() as transport:
        response = await transport.send(call(server), retry=False)
        answer = RawAnswer.of(response)
        return answer.status, sorted(response.headers.multi_items()), answer.body, response.text


@pytest.mark.parametrize("name", GOOD)
async def test_an_answer_is_handed_over_as_by_httpx_itself(name: str) -> None:
    assert await _answer(opened, GOOD[name]) == await _answer(opened_with_httpx, GOOD[name])


async def test_an_answer_to_a_head_has_no_body() -> None:
    async with rogue(answering(HEAD, b"Content-Length: 500\r\n\r\n")) as server, opened() as transport:
        for _ in range(2):
            assert (await transport.send(call(server, "HEAD"), retry=False)).content == b""


async def test_an_answer_that_comes_before_the_body_was_read_is_taken() -> None:
    async def habit(talk: Talk) -> None:
        await talk.head()
        await talk.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await talk.gone()

    async with rogue(habit) as server, opened() as transport:
        long = HttpCall("POST", server.url, "x", body="x" * 3_000_000)
        assert (await transport.send(long, retry=False)).status_code == 413
