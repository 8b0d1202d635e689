"""A draft from a description: an OpenAPI document, or a GraphQL service that describes itself."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from onboarding.drafts.graphql import INTROSPECTION, graphql_draft
from onboarding.drafts.model import Asked, Draft, DraftRefused
from onboarding.drafts.openapi import openapi_draft
from sources.http_answer import Mistrusted, strict_json
from transport.http import HttpClient, HttpRequest, TransportFailure

_SECONDS: Final = 20.0


async def web_draft(asked: Asked, core: Sequence[str]) -> Draft:
    """
    Return the draft from a description at an address or in a file.

    Reads:  one document, or else the answer to one introspection.
    Raises: DraftRefused when there is no description.
    """
    if not asked.url.startswith(("http://", "https://")):
        return _draft(_in_file(Path(asked.url.removeprefix("file:"))), asked, core)
    async with HttpClient(1) as client:
        document = await _sent(client, asked, "GET", b"")
        if not _describes(document):
            body = json.dumps({"query": INTROSPECTION, "variables": {}}).encode()
            document = await _sent(client, asked, "POST", body)
    return _draft(document, asked, core)


def _draft(document: object, asked: Asked, core: Sequence[str]) -> Draft:
    if not isinstance(document, dict):
        raise DraftRefused("neither an OpenAPI description nor a GraphQL service is there")
    if "openapi" in document:
        try:
            return openapi_draft(document, asked, core)
        except (AttributeError, TypeError, KeyError, ValueError, RecursionError) as error:
            raise DraftRefused(
                f"the OpenAPI description is broken: {type(error).__name__}"
            ) from None
    if "swagger" in document:
        raise DraftRefused("the description is of version 2; convert it to OpenAPI 3 first")
    return graphql_draft(document.get("data", document), asked, core)


def _describes(document: object) -> bool:
    return isinstance(document, dict) and not document.keys().isdisjoint(("openapi", "swagger"))


def _in_file(path: Path) -> object:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        raise DraftRefused("the file cannot be read as JSON") from None


async def _sent(
    client: HttpClient, asked: Asked, method: str, body: bytes
) -> Mapping[str, Any] | None:
    headers = [("Accept", "application/json")]
    if body:
        headers.append(("Content-Type", "application/json"))
    if asked.header:
        headers.append((asked.header, asked.token))
    request = HttpRequest(method, asked.url, tuple(headers), body, _SECONDS)
    try:
        found = strict_json(await client.send(request))
    except (TransportFailure, Mistrusted) as failure:
        if body:
            raise DraftRefused(
                f"nothing describes itself there: {type(failure).__name__}"
            ) from None
        return None
    return found if isinstance(found, dict) else None
