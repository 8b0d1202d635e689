"""Slow clients are cut off, and a stop is clean."""

import asyncio
import signal
from urllib.parse import urlsplit

import httpx
import pytest

from tests.served import served
from tests.web.clients import TOKEN
from web.serving import Listen

HEAD = b"POST /graphql HTTP/1.1\r\nhost: graph\r\nauthorization: Bearer good\r\n"


BODY = HEAD + b"content-type: application/json\r\ncontent-length: 4000\r\n\r\n"


CHUNK = HEAD + b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"


WHOLE = HEAD + b'content-type: application/json\r\ncontent-length: 16\r\n\r\n{"query":"{me}"}'


async def drip(url: str, start: bytes, drop: bytes) -> bytes:
    """Send drops until the server closes the connection; return what it said."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    said = b""
    try:
        writer.write(start)
        while True:
            try:
                async with asyncio.timeout(0.1):
                    piece = await reader.read(1000)
            except TimeoutError:
                writer.write(drop)
            else:
                said += piece
                if not piece:
                    return said
    except ConnectionError:
        return said
    finally:
        writer.close()


async def test_200_clients_that_drip_are_cut_off_while_others_are_answered() -> None:
    kinds = [
        (b"", b""),
        (b"", b"\r\n"),
        (b"POST /graphql HTTP/1.1\r\n", b"x: 1\r\n"),
        (BODY, b" "),
        (CHUNK, b"1\r\n \r\n"),
    ]
    async with served(receive_seconds=1) as (_, url), asyncio.timeout(20):
        dripping = [asyncio.create_task(drip(url, *kinds[n % 5])) for n in range(200)]
        async with httpx.AsyncClient(base_url=url, headers=TOKEN) as http:
            answer = await http.post("/graphql", json={"query": "{me}"})

        closed = await asyncio.gather(*dripping)

    assert answer.json() == {"data": {"me": "clerk"}}
    assert len(closed) == 200


async def test_a_second_request_that_drips_is_cut_off_after_the_first_was_answered() -> None:
    async with served(receive_seconds=1) as (_, url), asyncio.timeout(20):
        said = await asyncio.gather(drip(url, WHOLE + BODY, b" "), drip(url, WHOLE + HEAD, b"x"))

    assert [answer.count(b'{"data":{"me":"clerk"}}') for answer in said] == [1, 1]


async def test_a_slow_answer_is_no_slow_request() -> None:
    async with (
        served(receive_seconds=1) as (_, url),
        httpx.AsyncClient(base_url=url, headers=TOKEN) as http,
    ):
        answer = await http.post("/graphql", json={"query": "{slow(seconds:1.5)}"})

    assert answer.json() == {"data": {"slow": "done"}}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_answers_what_has_begun_and_ends_without_an_error(
    number: signal.Signals,
) -> None:
    async with served() as (process, url), httpx.AsyncClient(base_url=url, headers=TOKEN) as http:
        running = asyncio.create_task(http.post("/graphql", json={"query": "{slow(seconds:1)}"}))
        assert process.stdout
        assert await asyncio.wait_for(process.stdout.readline(), 10) == b"begun\n"

        process.send_signal(number)
        answer = await running
        _, said = await asyncio.wait_for(process.communicate(), 10)

    assert [answer.json(), process.returncode, said] == [{"data": {"slow": "done"}}, 0, b""]


@pytest.mark.parametrize(
    ("address", "listen"),
    [
        ("127.0.0.1:8000", Listen("127.0.0.1", 8000)),
        ("[::1]:0", Listen("::1", 0)),
        ("localhost:65535", Listen("localhost", 65535)),
    ],
)
def test_an_address_to_listen_on_is_read(address: str, listen: Listen) -> None:
    assert Listen.at(address) == listen


@pytest.mark.parametrize("address", ["", "8000", ":8000", "host", "host:", "host:x", "host:65536"])
def test_another_text_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="write HOST:PORT"):
        Listen.at(address)
