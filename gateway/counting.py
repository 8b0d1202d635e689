"""Counts, when a request has been answered, what it asked of the departments' systems."""

from collections.abc import Iterator

from strawberry.extensions import SchemaExtension

from resolvers.usage import Usage


class Counting(SchemaExtension):
    """Adds the calls of each executed request to the sums, also where it was abandoned."""

    usage: Usage

    def on_execute(self) -> Iterator[None]:
        """Wait for the execution, then count."""
        try:
            yield
        finally:
            context = self.execution_context.context
            self.usage.note(context.principal, context.calls)


def counting(usage: Usage) -> type[Counting]:
    """Return the extension that adds to these sums."""
    return type("Counting", (Counting,), {"usage": usage})
