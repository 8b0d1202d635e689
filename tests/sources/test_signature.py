import hashlib
import hmac
from dataclasses import dataclass, replace
from typing import Literal

import pytest

from contract.errors import SourceRefused
from sources.declaration import (
    Signature,
)
from sources.signature import Signer
from tests.loopback import Received, Reply, json_reply, serving
from tests.sources.enrolments import ENDPOINT, asking, by_key, stub

SECRET = "密钥"  # noqa: S105 -- of a system that ends with its test


@dataclass(frozen=True, slots=True)
class Verifier:
    """Checks signatures as the documentation tells a department to, with none of our code."""

    digest: Literal["sha256", "sm3"]

    def __call__(self, received: Received) -> Reply:
        headers = received.headers
        text = "\n".join(
            (
                received.method,
                received.path,
                received.raw_query,
                headers["x-gate-timestamp"],
                headers["x-gate-nonce"],
                hashlib.new(self.digest, received.body).hexdigest(),
            )
        )
        wanted = hmac.new(SECRET.encode(), text.encode(), self.digest).hexdigest()
        sorted_query = sorted(received.query) == received.query
        good = headers["x-gate"] == wanted and headers["x-gate-key"] == "township" and sorted_query
        return stub()(received) if good else json_reply({}, 401)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("digest", ["sha256", "sm3"])
async def test_the_system_accepts_the_signature(
    method: Literal["GET", "POST"], digest: Literal["sha256", "sm3"]
) -> None:
    if digest not in hashlib.algorithms_available:
        pytest.fail("this Python has no SM3 to check against")
    signature = Signature("hmac", "X-Gate", key="township", secret=SECRET, digest=digest)
    endpoint = replace(ENDPOINT, method=method, path="/参保/insu", fixed={"名": "a b+c~'*"})
    async with (
        serving(Verifier(digest)) as loopback,
        asking(loopback, endpoint, signature=signature) as source,
    ):
        rows = await source.read(by_key("A", "B", "C"))
        nonces = {received.headers["x-gate-nonce"] for received in loopback.received}

    assert (len(rows.rows), len(nonces)) == (4, 2)


async def test_a_wrong_secret_is_refused() -> None:
    signature = Signature("hmac", "X-Gate", key="township", secret=SECRET[::-1])
    async with (
        serving(Verifier("sha256")) as loopback,
        asking(loopback, signature=signature) as source,
    ):
        with pytest.raises(SourceRefused):
            await source.read(by_key("A"))


async def test_a_fixed_header_is_sent() -> None:
    signature = Signature("header", "X-Token", "secret")
    async with serving(stub()) as loopback, asking(loopback, signature=signature) as source:
        await source.read(by_key("A"))

        assert loopback.received[0].headers["x-token"] == "secret"


def test_a_signature_depends_on_clock_nonce_and_text_alone() -> None:
    signature = Signature("hmac", key="township", secret=SECRET)
    signer = Signer(signature, clock=lambda: 1_700_000_000_000, nonce=lambda: "00ff")
    empty = hashlib.sha256(b"").hexdigest()
    canonical = f"GET\n/a\nb=1&c=2\n1700000000000\n00ff\n{empty}"

    assert signer.headers("GET", "/a", "b=1&c=2", b"") == (
        ("X-Signature-Key", "township"),
        ("X-Signature-Timestamp", "1700000000000"),
        ("X-Signature-Nonce", "00ff"),
        ("X-Signature", hmac.new(SECRET.encode(), canonical.encode(), "sha256").hexdigest()),
    )
