"""A plugin of pytest: every execution of graphql-core in this process runs level by level."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pytest
from graphql.execution import Executor

from execution.executor import BreadthFirst

RAN: Final[Counter[str]] = Counter()


def pytest_configure() -> None:
    """Give graphql-core's executor, and so all its subclasses, the methods of ours."""
    own: Any = Executor
    depth_first = own.execute_root_grouped_field_set
    methods = {name: each for name, each in vars(BreadthFirst).items() if not name.startswith("__")}
    run = methods["_run"]

    def stock(self: Any, *given: Any) -> Any:
        RAN["depth first"] += 1
        return depth_first(self, *given)

    def counted(self: Any, *given: Any, **more: Any) -> Any:
        RAN["breadth first"] += 1
        return run(self, *given, **more)

    for name, each in {**methods, "depth_first": stock, "_run": counted}.items():
        setattr(own, name, each)


@pytest.hookimpl(hookwrapper=True)
def pytest_terminal_summary(terminalreporter: Any) -> Iterator[None]:
    """Tell how many executions there were of either kind."""
    yield
    terminalreporter.write_line(f"executions: {dict(RAN)}")
