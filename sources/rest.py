"""Departments' systems that speak JSON over HTTP, each in its own way. Knows no principal."""

from sources.declaration import Endpoint, MappedEntity
from sources.http_source import HttpSource, Requests
from sources.rest_request import RestRequests


class RestSource(HttpSource):
    """One department's REST system."""

    async def requests(self, mapped: MappedEntity, endpoint: Endpoint, until: float) -> Requests:
        """Return how the entity is asked for."""
        url, most = self.department.url, self.department.budget.bytes
        return RestRequests(url, endpoint, self.signer, most)
