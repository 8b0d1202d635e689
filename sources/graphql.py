"""
Departments' systems that speak GraphQL: a remote service as a source. Knows no principal.

A service is asked for its schema at the first contact, and its mapping is checked against it; until
then nothing is asked. An entity whose mapping contradicts the schema is refused until it does not.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from graphql import GraphQLSchema

from contract.document import Document, Mistake
from contract.read import Read, Rows
from sources.declaration import Department, Endpoint, MappedEntity
from sources.graphql_check import contradictions
from sources.graphql_request import GraphqlRequests, Post
from sources.graphql_schema import INTROSPECTION, root_field, schema_in
from sources.http_answer import Mistrusted, Refusal
from sources.http_source import HttpSource, Requests
from sources.signature import Signer
from transport.http import BadStatus

_SCHEMA_BYTES: Final = 16 * 1024 * 1024
AGAIN_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Known:
    """A service's schema, what contradicts it in each entity, and when it was asked for."""

    schema: GraphQLSchema
    mistakes: Mapping[str, tuple[Mistake, ...]]
    at: float


class GraphqlSource(HttpSource):
    """One department's GraphQL service."""

    def __init__(
        self,
        department: Department,
        signer: Signer | None = None,
        again_seconds: float = AGAIN_SECONDS,
    ) -> None:
        super().__init__(department, signer)
        self._written = department.written or Document(department.file, {}, {})
        self._again_seconds = again_seconds
        self._asking = asyncio.Lock()
        self._known: _Known | None = None
        self._doubted = False

    async def mistakes(self) -> tuple[Mistake, ...]:
        """
        Return what the mapping file says that the service's schema does not.

        Reads:  the schema, where it is not known yet.
        Raises: SourceFailure when the service does not answer as agreed.
        """
        with self.failures():
            seconds = self.department.budget.seconds
            async with asyncio.timeout(seconds):
                known = await self._schema(asyncio.get_running_loop().time() + seconds)
        return tuple(mistake for found in known.mistakes.values() for mistake in found)

    async def mistakes_anew(self) -> Mapping[str, tuple[Mistake, ...]]:
        """
        Return, for each entity, what the mapping file says that the schema does not say now.

        Reads:  the schema.
        Raises: SourceFailure when the service does not answer as agreed.
        """
        with self.failures():
            seconds = self.department.budget.seconds
            async with asyncio.timeout(seconds), self._asking:
                known = await self._renewed(asyncio.get_running_loop().time() + seconds)
        return known.mistakes

    async def requests(self, mapped: MappedEntity, endpoint: Endpoint, until: float) -> Requests:
        """
        Return how the entity is asked for.

        Raises: TransportFailure, Mistrusted.
        """
        known = await self._schema(until)
        root = root_field(known.schema, endpoint.path)
        wrong = known.mistakes[mapped.entity.name]
        if wrong or root is None:
            raise Mistrusted("; ".join(map(str, wrong)))
        return GraphqlRequests(self._post(self.department.budget.bytes), endpoint, root)

    async def rows(self, read: Read) -> Rows:
        """
        Return the rows asked for.

        Raises: what `failures` turns into SourceFailure.
        """
        try:
            return await super().rows(read)
        except (Refusal, BadStatus):
            self._doubted = True  # the schema may be another one now
            raise

    async def _schema(self, until: float) -> _Known:
        async with self._asking:
            now = asyncio.get_running_loop().time()
            if self._known is None or self._is_old(self._known, now):
                return await self._renewed(until)
            return self._known

    async def _renewed(self, until: float) -> _Known:
        now = asyncio.get_running_loop().time()
        request = self._post(_SCHEMA_BYTES).request(INTROSPECTION, {}, until - now)
        schema = schema_in(await self.client.send(request))
        self._known, self._doubted = _Known(schema, self._compared(schema), now), False
        return self._known

    def _is_old(self, known: _Known, now: float) -> bool:
        uncertain = self._doubted or any(known.mistakes.values())
        return uncertain and now - known.at >= self._again_seconds

    def _compared(self, schema: GraphQLSchema) -> dict[str, tuple[Mistake, ...]]:
        return {
            name: contradictions(schema, mapped, mapped.endpoint, self._written)
            for name, mapped in self.department.entities.items()
            if mapped.endpoint is not None
        }

    def _post(self, most: int) -> Post:
        return Post(self.department.url, self.signer, most)
