"""Tokens of the configured issuer get in; every other one is refused in the same words."""

import base64
import hashlib
import json
import logging
from dataclasses import replace

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from auth.authenticate import Authenticator, TokenLimits
from auth.trust import Issuer
from contract.errors import Unauthenticated
from tests.auth.tokens import (
    CLERK,
    CURVE,
    FOREIGN,
    HEADER,
    ISSUER,
    MODULUS,
    NOW,
    OURS,
    Clock,
    Endpoint,
    authenticator,
    claims,
    doubled,
    encoded,
    headed,
    shared_secret,
    signed,
    token,
    with_signature,
)

GOOD = {
    "plain": token(),
    "audience in a list": token(aud=["other", "township-graph"]),
    "with nbf and jti": token(nbf=NOW, jti="8f1c"),
    "expired within the skew": token(iat=NOW - 900, exp=NOW - 59),
    "issued by a clock ahead of ours": token(iat=NOW + 60),
    "access token type": headed(typ="at+jwt"),
    "no type": headed(typ=...),
    "two roles": token(roles=["township_clerk", "grid_worker"], scopes=["320411003", "32"]),
}


@pytest.mark.parametrize("name", GOOD)
async def test_a_token_of_the_configured_issuer_gets_in(name: str) -> None:
    principal = await authenticator().authenticate(f"Bearer {GOOD[name]}")

    assert principal.account == "xinglong.clerk"


async def test_a_principal_is_what_the_token_says() -> None:
    assert await authenticator().authenticate(f"bearer {token()}") == CLERK


async def test_the_claim_citizen_is_whose_own_record_may_be_seen_and_told_to_nobody() -> None:
    principal = await authenticator().authenticate(f"Bearer {token(citizen='11010519491231002X')}")

    assert principal == replace(CLERK, citizen="11010519491231002X")
    assert "11010519491231002X" not in repr(principal)


PUBLIC = json.dumps(OURS.as_dict(private=False)).encode()


FORGED = {
    # no signature, or one that anybody can make
    "algorithm none": f"{encoded({'alg': 'none', 'kid': 'ours'})}.{encoded(claims())}.",
    "algorithm none, signed": headed(alg="none"),
    "algorithm None": headed(alg="None"),
    "HS256 with the public key": shared_secret("HS256", PUBLIC, hashlib.sha256),
    "HS256 with the raw public key": shared_secret(
        "HS256",
        base64.urlsafe_b64decode(str(OURS.as_dict(private=False)["x"]) + "="),
        hashlib.sha256,
    ),
    "HS512 with nothing": shared_secret("HS512", b"", hashlib.sha512),
    "signature missing": with_signature(""),
    "signature of zeros": with_signature(encoded(bytes(64))),
    "signature cut": with_signature(token().rpartition(".")[2][:-8]),
    "signature longer": with_signature(token().rpartition(".")[2] + "AAAA"),
    "signature not canonical": with_signature(token().rpartition(".")[2][:-1] + "B"),
    "signature of another token": with_signature(token(sub="other").rpartition(".")[2]),
    "another key under our id": signed(HEADER, claims(), FOREIGN),
    "payload changed": token().replace(encoded(claims()), encoded(claims(scopes=["32"]))),
    # algorithms and keys that are not pinned
    "EdDSA where Ed25519 is pinned": headed(alg="EdDSA"),
    "ES256 where Ed25519 is pinned": jwt.encode({"alg": "ES256", "kid": "curve"}, claims(), CURVE),
    "RS256 where Ed25519 is pinned": jwt.encode(
        {"alg": "RS256", "kid": "modulus"}, claims(), MODULUS
    ),
    "Ed25519 with the id of a curve key": headed(kid="curve"),
    "algorithm unknown": headed(alg="XX25519"),
    "algorithm missing": headed(alg=...),
    "algorithm a number": headed(alg=1),
    "algorithm a list": headed(alg=["Ed25519"]),
    "kid missing": headed(kid=...),
    "kid unknown": headed(kid="theirs"),
    "kid a number": headed(kid=7),
    "kid a path": headed(kid="../../dev/null"),
    # header members that name keys or change the meaning
    "jwk": headed(jwk=FOREIGN.as_dict(private=False)),
    "jku": headed(jku="https://evil.example/jwks"),
    "x5u": headed(x5u="https://evil.example/x5"),
    "x5c": headed(x5c=["MIIB"]),
    "crit": headed(crit=["exp"]),
    "crit empty": headed(crit=[]),
    "b64 false": headed(b64=False, crit=["b64"]),
    "zip": headed(zip="DEF"),
    "type of another kind": headed(typ="dpop+jwt"),
    "type a number": headed(typ=1),
    "header a list": signed([HEADER], claims()),
    "header a string": signed("Ed25519", claims()),
    "header not JSON": signed(b"{alg:1}", claims()),
    "header with alg twice": signed(b'{"alg":"none","alg":"Ed25519","kid":"ours"}', claims()),
    # another shape of token
    "empty": "",
    "two parts": token().rpartition(".")[0],
    "four parts": f"{token()}.AAAA",
    "five parts": f"{token()}.AAAA.AAAA",
    "encrypted form": f"{encoded({'alg': 'dir', 'enc': 'A256GCM'})}..AAAA.AAAA.AAAA",
    "padding": token().replace(".", "=.", 1),
    "standard base64": token()[:20] + "+/" + token()[22:],
    "blank inside": token().replace(".", " .", 1),
    "line break at the end": token() + "\n",
    "letters beyond ASCII": "é" + token()[1:],
    "too large": token(jti="x" * 120) + "A" * 8192,
    "JSON serialization": json.dumps({"payload": encoded(claims()), "signatures": []}),
    # claims that are missing
    **{
        f"{name} missing": token(**{name: ...})
        for name in ("iss", "aud", "sub", "iat", "exp", "roles", "scopes", "department", "purpose")
    },
    # claims of other values
    "another issuer": token(iss="https://evil.example"),
    "issuer with a slash more": token(iss="https://login.example/"),
    "issuer a list": token(iss=["https://login.example"]),
    "another audience": token(aud="another"),
    "audience empty": token(aud=[]),
    "audience nested": token(aud=[["township-graph"]]),
    "expired": token(iat=NOW - 960, exp=NOW - 60),
    "exp a string": token(exp=str(NOW + 900)),
    "exp a float": token(exp=NOW + 900.5),
    "exp true": token(exp=True),
    "exp null": token(exp=None),
    "exp negative": token(exp=-1),
    "exp huge": token(exp=10**30),
    "exp NaN": token(exp=float("nan")),
    "exp Infinity": token(exp=float("inf")),
    "exp before iat": token(iat=NOW + 30, exp=NOW + 30),
    "issued in the future": token(iat=NOW + 61),
    "not valid yet": token(nbf=NOW + 61),
    "nbf null": token(nbf=None),
    "lives for a year": token(exp=NOW + 365 * 86400),
    "iat long ago": token(iat=NOW - 13 * 3600),
    "sub empty": token(sub=""),
    "sub a number": token(sub=7),
    "sub with a blank": token(sub="xing long"),
    "sub with a line break": token(sub="a\nb"),
    "jti a number": token(jti=1),
    # claims of another shape
    "one claim more": token(admin=True),
    "scope of OAuth": token(scope="everything"),
    "roles a string": token(roles="township_clerk"),
    "roles empty": token(roles=[], scopes=[]),
    "roles null": token(roles=None),
    "role empty": token(roles=[""]),
    "role in capitals": token(roles=["ADMIN"]),
    "role a number": token(roles=[1]),
    "more roles than scopes": token(roles=["township_clerk", "auditor"]),
    "more scopes than roles": token(scopes=["320411003", "32"]),
    "too many roles": token(roles=["township_clerk"] * 17, scopes=["320411003"] * 17),
    "citizen with an x in lower case": token(citizen="11010519491231002x"),
    "citizen with a wrong check character": token(citizen="110105194912310021"),
    "citizen of fifteen digits": token(citizen="110105491231002"),
    "citizen with a day that there is not": token(citizen="110105194902300029"),
    "citizen empty": token(citizen=""),
    "citizen null": token(citizen=None),
    "citizen a number": token(citizen=110105194912310020),
    "citizens in a list": token(citizen=["11010519491231002X"]),
    "scope empty": token(scopes=[""]),
    "scope a number": token(scopes=[320411003]),
    "scope a wildcard": token(scopes=["%"]),
    "scope with padding": token(scopes=["320411000"]),
    "scope padded to twelve": token(scopes=["320000000000"]),
    "scope of five digits": token(scopes=["32041"]),
    "scope of other digits": token(scopes=["３２"]),
    "scope with a blank": token(scopes=["32 "]),
    "department a list": token(department=["医保"]),
    "department null": token(department=None),
    "purpose too long": token(purpose="查" * 129),
    "purpose with a line break": token(purpose="a\nb"),
    "claims a list": signed(HEADER, [claims()]),
    "claims a string": signed(HEADER, "claims"),
    "claims empty": signed(HEADER, {}),
    "claims not JSON": signed(HEADER, b"sub=xinglong"),
    "claims not UTF-8": signed(HEADER, b'{"sub":"\xff"}'),
    "claims nested 3,000 deep": signed(HEADER, b"[" * 3000 + b"]" * 3000),
    "claims with a number of 5,000 digits": signed(HEADER, b'{"exp":' + b"9" * 5000 + b"}"),
    "sub twice": signed(HEADER, doubled('"sub":"admin"')),
    "exp twice": signed(HEADER, doubled('"exp":1')),
    "a token within a token": signed(HEADER, token().encode()),
}


async def refusal(credential: str | None) -> tuple[object, ...]:
    with pytest.raises(Unauthenticated) as caught:
        await authenticator().authenticate(credential)
    error = caught.value
    return type(error), error.code, error.message, error.args, error.__cause__, error.__context__


THE_REFUSAL = (
    Unauthenticated,
    "UNAUTHENTICATED",
    "请先登录,或重新登录后再试。",
    ("请先登录,或重新登录后再试。",),
    None,
    None,
)


@pytest.mark.parametrize("name", FORGED)
async def test_every_other_token_is_refused_in_the_same_words(name: str) -> None:
    assert await refusal(f"Bearer {FORGED[name]}") == THE_REFUSAL


@pytest.mark.parametrize(
    "credential",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        token(),
        f"Basic {token()}",
        f"Bearer  {token()}",
        f" Bearer {token()}",
        f"Bearer {token()}, Bearer {token()}",
        f"DPoP {token()}",
    ],
)
async def test_every_other_credential_is_refused_in_the_same_words(credential: str | None) -> None:
    assert await refusal(credential) == THE_REFUSAL


@pytest.mark.parametrize("name", FORGED)
async def test_the_log_says_why_without_a_part_of_the_token(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    await refusal(f"Bearer {FORGED[name]}")

    parts = [part for part in FORGED[name].split(".") if len(part) > 8]
    said = [record for record in caplog.records if record.name.startswith("auth")]
    assert [len(said), [part for part in parts if part in caplog.text]] == [1, []]
    assert "xinglong" not in caplog.text


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [("EdDSA", OURS), ("ES256", CURVE), ("RS256", MODULUS), ("PS256", MODULUS)],
)
async def test_each_asymmetric_algorithm_works_where_it_is_pinned(
    algorithm: str, key: OKPKey | ECKey | RSAKey
) -> None:
    header = {"alg": algorithm, "kid": key.kid}
    if algorithm == "EdDSA":
        text = signed(header, claims())
    else:
        text = jwt.encode(header, claims(), key, algorithms=[algorithm])

    accepting = authenticator(algorithms=(algorithm,))

    assert await accepting.authenticate(f"Bearer {text}") == CLERK


async def test_a_token_of_one_issuer_is_not_accepted_under_the_keys_of_another() -> None:
    other = Issuer("other", "https://other.example", "township-graph", ("Ed25519",), "x")
    theirs = Endpoint(FOREIGN)
    both = Authenticator([ISSUER, other], theirs, Clock())

    with pytest.raises(Unauthenticated):
        await both.authenticate(f"Bearer {token()}")


async def test_the_limits_of_times_are_configured() -> None:
    limits = TokenLimits(skew_seconds=0, maximum_age_seconds=899)
    accepting = Authenticator([ISSUER], Endpoint(OURS), Clock(), limits)

    with pytest.raises(Unauthenticated):
        await accepting.authenticate(f"Bearer {token()}")
    assert await accepting.authenticate(f"Bearer {token(exp=NOW + 899)}") == CLERK


async def test_a_remembered_token_is_refused_once_another_key_has_its_id() -> None:
    endpoint, clock = Endpoint(OURS), Clock()
    accepting = authenticator(endpoint, clock)
    first = [await accepting.authenticate(f"Bearer {token()}") for _ in range(2)]
    endpoint.document = Endpoint(FOREIGN).document

    clock.now += 600

    assert first == [CLERK, CLERK]
    with pytest.raises(Unauthenticated):
        await accepting.authenticate(f"Bearer {token()}")


async def test_a_remembered_token_is_refused_when_its_time_is_over() -> None:
    clock, short = Clock(), f"Bearer {token(exp=NOW + 100)}"
    accepting = authenticator(Endpoint(OURS), clock)
    first = [await accepting.authenticate(short) for _ in range(2)]

    clock.now += 400  # its key is still the same, and not asked for again

    assert first == [CLERK, CLERK]
    with pytest.raises(Unauthenticated):
        await accepting.authenticate(short)


async def test_memory_for_tokens_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth.authenticate.MAXIMUM_REMEMBERED", 3)
    accepting = authenticator()

    answers = [await accepting.authenticate(f"Bearer {token(jti=f't{n % 5}')}") for n in range(20)]

    assert [answers, len(accepting._verified) <= 3] == [[CLERK] * 20, True]
