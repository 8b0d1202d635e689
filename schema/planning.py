"""`extensions.explain`: how an answer was found, for roles that may know it and ask for it."""

from typing import Any

from strawberry.extensions import SchemaExtension

from sources.federation import Explained


class Explain(SchemaExtension):
    """Adds the plan to the answer, where it was collected."""

    def get_results(self) -> dict[str, Any]:
        """Return the plan; nothing where nobody asked who may."""
        context = self.execution_context.context
        if context is None or context.planning is None or not isinstance(context.calls, Explained):
            return {}
        return {"explain": context.planning.told(context.calls)}
