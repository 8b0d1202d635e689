"""`extensions.completeness`: every source an answer used, its state and the paths it cost."""

from typing import Any

from strawberry.extensions import SchemaExtension

from contract.errors import SourceFailure
from schema.errors import in_order

_WORST_LAST = ("OK", "STALE", "MAINTENANCE", "FAILED", "REFUSED", "UNAVAILABLE", "TIMEOUT")


class Completeness(SchemaExtension):
    """Adds, to each executed answer, what the answer rests on."""

    def get_results(self) -> dict[str, Any]:
        """Return one entry per source, in the order of their names."""
        context = self.execution_context.context
        if context is None:
            return {}
        entries = {
            call.source: {"source": call.source, "title": call.title, "state": "OK", "paths": []}
            for call in sorted(context.calls, key=lambda call: call.source)
        }
        # Calls stand in the order they ended in, which is another each time.
        for call in sorted(context.calls, key=lambda call: _WORST_LAST.index(call.state)):
            entries[call.source]["state"] = call.state
            if call.as_of is not None and call.state == "STALE":
                told = entries[call.source].setdefault("asOf", call.as_of.isoformat())
                entries[call.source]["asOf"] = min(told, call.as_of.isoformat())
        self._add_paths(entries)
        return {"completeness": list(entries.values())}

    def _add_paths(self, entries: dict[str, dict[str, Any]]) -> None:
        partial = self.execution_context.context.partial
        for lacking in sorted(partial, key=lambda each: (each.source, str(each.path))):
            entries[lacking.source]["paths"].append(list(lacking.path))
        result = self.execution_context.result
        for error in in_order(getattr(result, "errors", None) or ()):
            failure = error.original_error
            if isinstance(failure, SourceFailure) and failure.source in entries:
                entries[failure.source]["paths"].append(list(error.path or ()))
