import logging
from typing import Any

import pytest
from strawberry.extensions import SchemaExtension

from schema.graph import build_schema, core_entities


class Tracing(SchemaExtension):
    def resolve(self, _next: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
        return _next(root, info, *args, **kwargs)


def test_what_an_extension_costs_that_hooks_every_field_is_told_at_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        build_schema(core_entities(), [SchemaExtension])
        build_schema(core_entities(), [SchemaExtension, Tracing])

    assert [record.getMessage() for record in caplog.records] == [
        "Tracing is called for every field of every object: each takes about ten times as long"
    ]
