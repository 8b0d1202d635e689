"""What arrives on a connection: in pieces, one behind the other, too much, or something else."""

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.served import served
from web.deadline import MAXIMUM_UNREAD_BYTES, MOST_WAITING

OWN = b"host: graph\r\nauthorization: Bearer good\r\n"
JSON = OWN + b"content-type: application/json\r\n"
TEXT = b'{"query":"{me}"}'
POST = b"POST /graphql HTTP/1.1\r\n" + JSON
WHOLE = POST + b"content-length: 16\r\n\r\n" + TEXT
CHUNKED = (
    POST
    + b"transfer-encoding: chunked\r\n\r\n6\r\n"
    + TEXT[:6]
    + b"\r\na\r\n"
    + TEXT[6:]
    + b"\r\n0\r\n"
)
SLOW = b"GET /graphql?query=%7Bslow(seconds:1.5)%7D HTTP/1.1\r\n" + OWN + b"\r\n"
LAST = b"GET /livez HTTP/1.1\r\nhost: graph\r\nconnection: close\r\n\r\n"
ME = b'{"data":{"me":"clerk"}}'
DONE = b'{"data":{"slow":"done"}}'
ALIVE = b'{"status":"alive"}'
INVALID = b"Invalid HTTP request received."


async def said(url: str, *pieces: bytes) -> bytes:
    """Send the pieces one after the other; return all that is said until the connection ends."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.005)
        return await reader.read()
    finally:
        writer.close()


def bodies(answers: bytes) -> list[tuple[int, bytes]]:
    """Return status and body of each answer."""
    found = []
    while answers:
        head, _, rest = answers.partition(b"\r\n\r\n")
        (length,) = (
            int(line.partition(b":")[2])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        found.append((int(head.split()[1]), rest[:length]))
        answers = rest[length:]
    return found


async def test_requests_on_one_connection_are_answered_in_their_order() -> None:
    async with served() as (_, url), asyncio.timeout(20):
        behind = await said(url, WHOLE + SLOW + CHUNKED + b"\r\n" + WHOLE + LAST)
        after = await said(url, *[WHOLE] * 3, LAST)

    assert bodies(behind) == [(200, ME), (200, DONE), (200, ME), (200, ME), (200, ALIVE)]
    assert bodies(after) == [(200, ME)] * 3 + [(200, ALIVE)]


async def test_a_request_in_pieces_of_any_size_is_one_request() -> None:
    async with served() as (_, url), asyncio.timeout(30):
        single = [bytes([octet]) for octet in CHUNKED + b"\r\n" + WHOLE]
        answers = await said(url, *single, LAST)

    assert bodies(answers) == [(200, ME), (200, ME), (200, ALIVE)]


@pytest.mark.parametrize(
    "start",
    [
        b"GET /" + b"a" * MAXIMUM_UNREAD_BYTES,
        b"GET / HTTP/1.1\r\nhost: graph\r\nx: " + b"a" * MAXIMUM_UNREAD_BYTES,
        b"GET / HTTP/1.1\r\nhost: graph\r\n" + b"x: a\r\n" * (MAXIMUM_UNREAD_BYTES // 6),
        POST + b"transfer-encoding: chunked\r\n\r\n1;" + b"a" * (MAXIMUM_UNREAD_BYTES + 4096),
    ],
)
async def test_what_grows_without_an_end_is_refused_before_the_deadline(start: bytes) -> None:
    async with served() as (_, url), asyncio.timeout(20):
        pieces = [start[at : at + 4096] for at in range(0, len(start), 4096)]
        answers = await said(url, *pieces)

    assert bodies(answers) == [(400, INVALID)]


async def test_trailers_without_an_end_are_refused_and_others_count_for_nothing() -> None:
    signed = CHUNKED.replace(b"authorization: Bearer good\r\n", b"")
    async with served() as (_, url), asyncio.timeout(20):
        answers = await said(url, signed + b"authorization: Bearer good\r\n\r\n" + LAST)
        endless = await said(url, CHUNKED + b"x: ", b"a" * MAXIMUM_UNREAD_BYTES, b"a")

    assert [status for status, _ in bodies(answers)] == [401, 200]
    assert bodies(endless) == [(400, INVALID)]


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /livez HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"GET /livez\r\n\r\n",
        b"CONNECT graph:443 HTTP/1.1\r\nhost: graph\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        POST + b"content-length: 16\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"content-length: 16\r\ncontent-length: 16\r\n\r\n" + TEXT,
        POST + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        POST + b"transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"transfer-encoding: ,chunked\r\n\r\n0\r\n\r\n",
        POST + b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        POST + b"content-length:\r\n 16\r\n\r\n" + TEXT,
        POST + b"transfer-encoding: chunked\r\n\r\n10\n" + TEXT + b"\r\n0\r\n\r\n",
        b"GET /livez HTTP/1.1\nhost: graph\n\n",
        b"GET /livez HTTP/2.0\r\nhost: graph\r\n\r\n",
        b"GET /livez HTTP/0.9\r\nhost: graph\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_and_the_connection_ends(request_: bytes) -> None:
    async with served() as (_, url), asyncio.timeout(20):
        answers = await said(url, request_)

    assert bodies(answers) == [(400, INVALID)]


async def test_an_old_client_names_no_host() -> None:
    async with served() as (_, url), asyncio.timeout(20):
        answers = await said(url, b"GET /livez HTTP/1.0\r\n\r\n")

    assert bodies(answers) == [(200, ALIVE)]


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
async def test_another_protocol_that_is_proposed_is_passed_over_and_the_request_answered(
    protocol: bytes,
) -> None:
    proposing = WHOLE.replace(
        b"content-length", b"connection: Upgrade\r\nupgrade: " + protocol + b"\r\ncontent-length"
    )
    async with served() as (_, url), asyncio.timeout(20):
        together = await said(url, proposing + proposing + LAST)
        in_pieces = await said(url, proposing[:-10], proposing[-10:], LAST)

    assert bodies(together) == [(200, ME), (200, ME), (200, ALIVE)]
    assert bodies(in_pieces) == [(200, ME), (200, ALIVE)]


async def test_a_connection_on_which_too_much_waits_ends() -> None:
    async with served() as (_, url), asyncio.timeout(20):
        few = await said(url, SLOW + WHOLE * (MOST_WAITING - 1) + LAST)
        many = await said(url, SLOW + WHOLE * (MOST_WAITING + 1))

    assert bodies(few) == [(200, DONE)] + [(200, ME)] * (MOST_WAITING - 1) + [(200, ALIVE)]
    assert bodies(many) == [(400, INVALID)]


async def test_time_stands_still_for_a_request_behind_one_that_is_not_answered() -> None:
    half = POST + b"content-length: 16\r\n\r\n" + TEXT[:8]
    async with served(receive_seconds=1) as (_, url), asyncio.timeout(20):
        began = asyncio.get_running_loop().time()
        head = asyncio.create_task(said(url, SLOW + POST))
        body = asyncio.create_task(said(url, SLOW + half))
        in_time = asyncio.create_task(said(url, SLOW + half, TEXT[8:] + LAST))
        answers = [bodies(await each) for each in (head, body, in_time)]
        lasted = asyncio.get_running_loop().time() - began

    assert answers == [[(200, DONE)], [(200, DONE)], [(200, DONE), (200, ME), (200, ALIVE)]]
    assert lasted >= 2.4  # the slow answer, then the deadline


@pytest.mark.parametrize(
    ("head", "rest"),
    [
        (b"GET /livez HTTP/1.1\r\nhost: graph\r\ncontent-length: 2\r\n\r\n1", b"2"),
        (b"GET /livez HTTP/1.1\r\nhost: graph\r\ntransfer-encoding: chunked\r\n\r\n", b"0\r\n\r\n"),
    ],
)
async def test_a_connection_whose_request_is_whole_after_its_answer_ends_if_nothing_follows(
    head: bytes, rest: bytes
) -> None:
    async with served(receive_seconds=1) as (_, url), asyncio.timeout(20):
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        began = asyncio.get_running_loop().time()
        writer.write(head)
        early = await reader.readuntil(ALIVE)
        writer.write(rest)
        ended = await reader.read()
        lasted = asyncio.get_running_loop().time() - began
        writer.close()
        following = await said(url, head, rest + WHOLE, LAST)

    assert [bodies(early), ended] == [[(200, ALIVE)], b""]
    assert 0.9 < lasted < 4  # before the 5 s that uvicorn waits
    assert bodies(following) == [(200, ALIVE), (200, ME), (200, ALIVE)]


async def test_nothing_is_said_to_a_client_that_left_others_waiting_behind_a_request() -> None:
    async with served() as (process, url), asyncio.timeout(20):
        parts = urlsplit(url)
        assert process.stdout
        for behind in (b"", WHOLE, WHOLE + CHUNKED):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(WHOLE + SLOW + behind)
            await process.stdout.readline()
            writer.transport.abort()
        await asyncio.sleep(2)
        process.terminate()
        _, complaints = await process.communicate()

    assert complaints == b""
