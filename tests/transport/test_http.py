import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from itertools import cycle
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.loopback import Delivery, Loopback, Received, Reply, serving
from transport.http import (
    BadStatus,
    HttpClient,
    HttpRequest,
    TooLarge,
    TooSlow,
    TransportFailure,
    Unreachable,
    Unreadable,
    failure_of,
)

ABANDONED = 8_000
WAVE = 40
REPLIES = {
    "/ok": Reply(b"{}"),
    "/chunked": Reply(b"abc", delivery=Delivery.CHUNKED),
    "/hang": Reply(delivery=Delivery.HANG),
    "/drip": Reply(b"x" * 1000, delivery=Delivery.DRIP),
    "/header-drip": Reply(delivery=Delivery.HEADER_DRIP),
    "/reset": Reply(b"x" * 1000, delivery=Delivery.RESET),
    "/giant": Reply(b"x" * 100_000),
    "/giant-chunked": Reply(b"x" * 100_000, delivery=Delivery.CHUNKED),
    "/packed": Reply(b"x", headers=(("Content-Encoding", "gzip"),)),
    "/moved": Reply(status=302, headers=(("Location", "/ok"),)),
    "/missing": Reply(status=404),
    "/broken": Reply(status=503),
    "/cookie": Reply(b"{}", headers=(("Set-Cookie", "session=1"),)),
}


def answer(received: Received) -> Reply:
    return REPLIES[received.path]


@pytest.fixture
async def server() -> AsyncIterator[Loopback]:
    async with serving(answer) as loopback:
        yield loopback


def get(server: Loopback, path: str, seconds: float = 5.0) -> HttpRequest:
    return HttpRequest("GET", f"{server.url}{path}", seconds=seconds, max_bytes=50_000)


async def refused(request: HttpRequest) -> TransportFailure:
    async with HttpClient() as client:
        with pytest.raises(TransportFailure) as caught:
            await client.send(request)
    return caught.value


@pytest.mark.parametrize(("path", "body"), [("/ok", b"{}"), ("/chunked", b"abc")])
async def test_an_answer_comes_back_whole(server: Loopback, path: str, body: bytes) -> None:
    async with HttpClient() as client:
        assert await client.send(get(server, path)) == body


async def test_method_headers_and_body_arrive_as_given(server: Loopback) -> None:
    request = HttpRequest("POST", f"{server.url}/ok?a=%E5%8C%BA", (("X-Who", "张"),), b"body")

    async with HttpClient() as client:
        await client.send(request)

    received = server.received[0]
    assert (received.method, received.path, received.raw_query) == ("POST", "/ok", "a=%E5%8C%BA")
    assert received.body == b"body"
    assert received.headers["x-who"].encode("latin-1").decode() == "张"
    assert received.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("path", "failure"),
    [
        ("/reset", Unreachable),
        ("/giant", TooLarge),
        ("/giant-chunked", TooLarge),
        ("/packed", Unreadable),
        ("/moved", BadStatus),
        ("/missing", BadStatus),
        ("/broken", BadStatus),
    ],
)
async def test_what_is_not_a_whole_answer_is_a_failure(
    server: Loopback, path: str, failure: type[TransportFailure]
) -> None:
    assert type(await refused(get(server, path))) is failure


async def test_a_redirect_is_not_followed(server: Loopback) -> None:
    failure = await refused(get(server, "/moved"))

    assert isinstance(failure, BadStatus)
    assert failure.status == 302
    assert [received.path for received in server.received] == ["/moved"]


@pytest.mark.parametrize("path", ["/hang", "/drip", "/header-drip"])
async def test_no_answer_outlives_its_deadline(server: Loopback, path: str) -> None:
    start = time.monotonic()

    failure = await refused(get(server, path, seconds=0.2))

    assert type(failure) is TooSlow
    assert 0.15 < time.monotonic() - start < 0.7  # the abandoned task has ended too


async def test_waiting_for_a_free_connection_counts_towards_the_deadline(server: Loopback) -> None:
    async with HttpClient(connections=1) as client:
        busy = asyncio.create_task(client.send(get(server, "/hang", seconds=0.5)))
        await asyncio.sleep(0)

        with pytest.raises(TooSlow, match="no free connection"):
            await client.send(get(server, "/ok", seconds=0.1))
        with pytest.raises(TooSlow):
            await busy


async def test_a_system_that_is_not_there_is_unreachable(unused_tcp_port: int) -> None:
    failure = await refused(HttpRequest("GET", f"http://127.0.0.1:{unused_tcp_port}/"))

    assert type(failure) is Unreachable


@pytest.mark.parametrize(
    "url", ["http://[::1/?id=SECRET", "gopher://host/?id=SECRET", "?id=SECRET"]
)
async def test_an_address_that_is_none_is_unreachable_and_not_repeated(url: str) -> None:
    failure = await refused(HttpRequest("GET", url))

    assert type(failure) is Unreachable
    assert "SECRET" not in str(failure)


def test_the_text_of_a_request_shows_no_address() -> None:
    request = HttpRequest("GET", "http://host/?id=SECRET", (("X-Token", "SECRET"),), b"SECRET")

    assert "SECRET" not in repr(request)


async def test_proxies_of_the_environment_are_not_used(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    async with HttpClient() as client:
        assert await client.send(get(server, "/ok")) == b"{}"


async def test_cookies_are_not_kept(server: Loopback) -> None:
    async with HttpClient() as client:
        await client.send(get(server, "/cookie"))
        await client.send(get(server, "/ok"))

    assert "cookie" not in server.received[1].headers


async def test_connections_are_reused_and_never_more_than_allowed(server: Loopback) -> None:
    async with HttpClient(connections=3) as client:
        await asyncio.gather(*(client.send(get(server, "/ok")) for _ in range(30)))

    assert (len(server.received), server.connections) == (30, 3)


async def test_closing_waits_for_what_runs_and_refuses_what_comes(server: Loopback) -> None:
    client = HttpClient()
    call = asyncio.create_task(client.send(get(server, "/hang", seconds=0.2)))
    await asyncio.sleep(0)

    await client.aclose()

    with pytest.raises(TooSlow):
        await call
    with pytest.raises(Unreachable, match="closed"):
        await client.send(get(server, "/ok"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for 127.0.0.1 that vouches for itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(tz=UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "loopback.pem"
    plain = NoEncryption()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, plain)
    path.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return path


@pytest.mark.parametrize("vouched", [True, False])
async def test_a_certificate_counts_only_where_somebody_vouches_for_it(
    certificate: Path,
    vouched: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if vouched:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)

    async with serving(answer, tls) as loopback, HttpClient() as client:
        if vouched:
            assert await client.send(get(loopback, "/ok")) == b"{}"
        else:
            with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
                await client.send(get(loopback, "/ok"))


def errors_of(error: type[httpx.TransportError]) -> Iterator[type[httpx.TransportError]]:
    yield error
    for kind in error.__subclasses__():
        yield from errors_of(kind)


@pytest.mark.parametrize("error", tuple(errors_of(httpx.TransportError)))
def test_every_error_of_httpx_has_our_word(error: type[httpx.TransportError]) -> None:
    slow = issubclass(error, httpx.TimeoutException)

    assert type(failure_of(error("text"))) is (TooSlow if slow else Unreachable)


async def abandon(client: HttpClient, request: HttpRequest, turns: int) -> bool:
    call = asyncio.create_task(client.send(request))
    for _ in range(turns):
        await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait((call,))
    return call.cancelled()


async def enough_to_begin(client: HttpClient, server: Loopback) -> float:
    """Return a deadline that lets a wave of requests begin, on a machine as busy as this one."""
    start = time.monotonic()
    await asyncio.gather(*(client.send(get(server, "/ok", seconds=10)) for _ in range(WAVE)))
    return min(0.3, max(0.06, 2 * (time.monotonic() - start)))


async def test_8000_abandoned_requests_leave_the_client_healthy(server: Loopback) -> None:
    paths = ("/hang", "/hang", "/hang", "/hang", "/hang", "/drip", "/header-drip")
    async with HttpClient(connections=WAVE) as client:
        cancelled, seconds = 0, await enough_to_begin(client, server)
        for path in cycle(paths):
            request = get(server, path, seconds=seconds)
            calls = (abandon(client, request, turns=turns % 40) for turns in range(WAVE))
            cancelled += sum(await asyncio.gather(*calls))
            await client.drain()
            if cancelled >= ABANDONED:
                break
        start = time.monotonic()
        healthy = replace(get(server, "/ok"), seconds=1.0)
        answers = [await client.send(healthy) for _ in range(5)]

    assert answers == [b"{}"] * 5
    assert len(server.received) >= ABANDONED / 10  # far more than wedge a pool that has no shield
    assert time.monotonic() - start < 1.0
