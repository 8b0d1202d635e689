"""What is read, told and put on record of systems that have copies of a row."""

from auth.throttle import Throttle
from contract.read import Read
from resolvers.ask import Ask, Selection
from resolvers.context import RequestContext
from resolvers.seal import Seal
from resolvers.spending import Spending
from sources.memory import MemorySource
from tests import world
from tests.graph import SECRET, SYSTEMS
from tests.probed import ALSO, entities, probed, told


async def test_what_only_another_role_shows_is_not_fetched_from_systems_with_copies() -> None:
    graph = probed(world.ROWS, shared=True)
    query = """query($where: ResidentWhere) {
      residents(where: $where) { nodes { address phone _provenance { field } } }
    }"""
    there = {"within": world.DONGHU}  # the registrar's alone, who is shown no telephone number

    await told(
        graph, "registers", query, where={"residenceDivision": there, "registeredDivision": there}
    )

    copies = [
        read
        for source in graph.sources.values()
        for read in source.reads
        if isinstance(read, Read) and read.entity == "Resident" and read.for_each is not None
    ]
    assert copies
    assert [read for read in copies if "phone" in read.fields] == []


async def test_what_other_systems_say_is_on_record_with_the_fields_that_were_shown() -> None:
    graph = probed(world.ROWS, shared=True)
    context = RequestContext(
        ALSO["clerk"],
        graph.gate,
        graph.identity,
        Seal(SECRET, "cursor"),
        shown=[],
        spending=Spending(Throttle(), "clerk"),
    )
    parents = (await graph.gate.read(context.asker, Ask(Selection("Case")))).records
    context.readings.clear()

    await graph.gate.copies(context.asker, frozenset({"applicantName"}), parents)

    noted = [(each.entity.name, set(each.fields), each.rows) for each in context.readings]
    assert noted
    assert {(name, *fields) for name, fields, _ in noted} == {("Case", "applicantName")}
    assert sum(rows for *_, rows in noted) == len(parents)


async def test_a_masked_value_that_all_systems_have_alike_is_no_conflict() -> None:
    row = {**world.case(1, 0, world.XIBEI, department="民政"), "number": "C77"}
    rows = {**world.ROWS, "Case": [row]}
    copies = {
        "service_platform": MemorySource(
            "service_platform",
            "service_platform",
            {name: entities()[name] for name in SYSTEMS["service_platform"]},
            {"Case": [row]},
        )
    }
    query = "{ cases { nodes { contactPhone _provenance { field conflicts { value } } } } }"

    answer = await told(probed(rows, shared=True, **copies), "clerk", query)

    (node,) = answer.data["cases"]["nodes"]
    assert node == {
        "contactPhone": "199****0000",
        "_provenance": [{"field": "contactPhone", "conflicts": []}],
    }
