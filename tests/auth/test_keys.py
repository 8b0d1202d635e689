"""Keys are read when needed, kept while the issuer is silent, and chosen with care."""

import asyncio
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.authenticate import Authenticator
from auth.keys import fetch_over, public_keys
from auth.trust import Issuer
from contract.errors import Unauthenticated
from tests.auth.tokens import (
    CLERK,
    CURVE,
    ISSUER,
    OURS,
    URL,
    Clock,
    Endpoint,
    authenticator,
    encoded,
    headed,
    token,
)
from transport.http import HttpClient


async def test_a_new_key_is_found_once_the_pause_is_over() -> None:
    endpoint, clock = Endpoint(CURVE), Clock()
    accepting = authenticator(endpoint, clock)
    with pytest.raises(Unauthenticated):
        await accepting.authenticate(f"Bearer {token()}")
    endpoint.document = Endpoint(OURS).document

    with pytest.raises(Unauthenticated):
        await accepting.authenticate(f"Bearer {token()}")
    clock.now += 30

    assert await accepting.authenticate(f"Bearer {token()}") == CLERK
    assert endpoint.calls == [URL, URL]


async def test_unknown_keys_cause_one_read_in_the_pause_however_many_ask() -> None:
    endpoint = Endpoint(OURS)
    accepting = authenticator(endpoint)

    answers = await asyncio.gather(
        *(accepting.authenticate(f"Bearer {headed(kid=f'k{n}')}") for n in range(50)),
        return_exceptions=True,
    )

    assert [type(answer) for answer in answers] == [Unauthenticated] * 50
    assert endpoint.calls == [URL]


async def test_everybody_who_comes_while_the_keys_are_first_read_gets_in() -> None:
    endpoint = Endpoint(OURS)
    accepting = authenticator(endpoint)

    answers = await asyncio.gather(
        *(accepting.authenticate(f"Bearer {token()}") for _ in range(50))
    )

    assert [answers, endpoint.calls] == [[CLERK] * 50, [URL]]


async def test_keys_are_fetched_over_http_and_outlive_the_server_that_gave_them() -> None:
    document, clock = Endpoint(OURS).document, Clock()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(document)}\r\nconnection: close\r\n\r\n"
        writer.write(head.encode() + document)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks"
    async with HttpClient() as client:
        issuer = Issuer("login", ISSUER.issuer, ISSUER.audience, ISSUER.algorithms, url)
        accepting = Authenticator([issuer], fetch_over(client), clock)

        first = await accepting.authenticate(f"Bearer {token()}")
        server.close()
        await server.wait_closed()
        clock.now += 600
        second = await accepting.authenticate(f"Bearer {token()}")

    assert [first, second] == [CLERK, CLERK]


async def test_known_keys_stay_while_the_issuer_is_down() -> None:
    endpoint, clock = Endpoint(OURS), Clock()
    accepting = authenticator(endpoint, clock)
    await accepting.authenticate(f"Bearer {token()}")
    endpoint.is_down = True

    clock.now += 700

    assert await accepting.authenticate(f"Bearer {token()}") == CLERK
    assert endpoint.calls == [URL, URL]


async def test_a_withdrawn_key_stops_working_once_the_keys_are_read_again() -> None:
    endpoint, clock = Endpoint(OURS), Clock()
    accepting = authenticator(endpoint, clock)
    await accepting.authenticate(f"Bearer {token()}")
    endpoint.document = Endpoint(CURVE).document

    clock.now += 600

    with pytest.raises(Unauthenticated):
        await accepting.authenticate(f"Bearer {token()}")


@pytest.mark.parametrize(
    "document",
    [b"", b"null", b"[]", b"{}", b'{"keys":{}}', b"<html>", b"\xff", b'{"keys":[],"keys":[]}'],
)
async def test_a_key_set_that_cannot_be_read_admits_nobody(document: bytes) -> None:
    endpoint = Endpoint()
    endpoint.document = document

    with pytest.raises(Unauthenticated):
        await authenticator(endpoint).authenticate(f"Bearer {token()}")


def test_symmetric_private_weak_and_unnamed_keys_are_left_out() -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()  # noqa: S505 -- the weak one
    number = weak.public_numbers().n
    entries = [
        {"kty": "oct", "k": "AAAA", "kid": "secret"},
        OURS.as_dict(private=True),
        {"kty": "RSA", "n": encoded(number.to_bytes(128, "big")), "e": "AQAB", "kid": "weak"},
        {**CURVE.as_dict(private=False), "kid": "encrypts", "use": "enc"},
        {**CURVE.as_dict(private=False), "kid": ""},
        {"kty": "OKP", "crv": "Ed25519", "kid": "no point"},
        "text",
        CURVE.as_dict(private=False),
    ]

    assert sorted(public_keys(json.dumps({"keys": entries}).encode())) == ["curve"]


def test_a_key_set_of_many_keys_or_bytes_is_refused() -> None:
    many = json.dumps({"keys": [CURVE.as_dict(private=False)] * 65}).encode()

    for document in (many, b" " * 300_000):
        with pytest.raises(ValueError, match="key"):
            public_keys(document)
