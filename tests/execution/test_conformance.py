"""graphql-core's own tests of execution, run against the executor."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "build" / "graphql-core"
# The differences, each told in docs/execution.md.
NONNULL = "test_nonnull.py::describe_execute_handles_non_nullable_types"
COMPETING = f"{NONNULL}::describe_handles_multiple_errors_for_a_single_response_position"
KNOWN = {
    "test_executor.py::describe_execute_handles_basic_execution_tasks"
    "::provides_info_about_current_execution_state",
    f"{NONNULL}::describe_nulls_a_complex_tree_of_nullable_fields_each::throws",
    f"{COMPETING}::nullable_and_non_nullable_root_fields_throw_nested_errors",
    f"{COMPETING}::nullable_and_non_nullable_nested_fields_throw_nested_errors",
    f"{COMPETING}::slower_nullable_after_non_nullable_root_field",
    f"{COMPETING}::slower_nullable_after_non_nullable_nested_field",
}


def test_graphql_core_finds_no_difference_but_the_known_ones() -> None:
    assert SOURCES.is_dir(), "make build/graphql-core fetches the tests of graphql-core"
    (tests,) = SOURCES.glob("graphql_core-*/tests/execution")

    options = "-q -p everywhere -p no:randomly -p no:cacheprovider -o addopts= -W ignore"
    ran = subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, "-m", "pytest", *options.split(), "tests/execution"],
        cwd=tests.parents[1],
        env={**os.environ, "PYTHONPATH": f"{Path(__file__).parent}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )

    failed = set(re.findall(r"^(?:FAILED|ERROR) tests/execution/(\S+)", ran.stdout, re.MULTILINE))
    counted = re.search(r"(\d+) failed, (\d+) passed", ran.stdout)
    executions = re.search(r"'breadth first': (\d+)", ran.stdout)
    assert failed == KNOWN, ran.stdout[-3000:]
    assert counted, ran.stdout[-3000:]
    assert (int(counted[1]), int(counted[2]) > 700) == (len(KNOWN), True)
    assert executions, ran.stdout[-3000:]
    assert int(executions[1]) > 350
