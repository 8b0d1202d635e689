"""How an entity's dropped files are read: from a mapping file to a drop."""

from contract.document import Place
from sources.declaration import Drop
from sources.finding import Findings
from sources.mapping_model import DropShape, EntityShape

_BOOK: tuple[str, ...] = ("sheet",)
_TEXT: tuple[str, ...] = ("encoding", "delimiter")
ENDINGS = (".csv", ".xlsx")


def drop(shape: EntityShape, findings: Findings, place: Place) -> Drop:
    """Return where the entity's files are and how they are read, after noting what is wrong."""
    written = shape.file or DropShape()
    if "/" in shape.native or not shape.native.endswith(ENDINGS):
        write = 'Write a name such as "visits-*.csv" or "visits-*.xlsx".'
        findings.add((*place, "native"), "native is no name of files to read", write)
    for option in _TEXT if shape.native.endswith(".xlsx") else _BOOK:
        if option in written.model_fields_set:
            what = f"{option} does not go with {shape.native}"
            findings.add((*place, "file", option), what, f"Leave {option} out.")
    return Drop(
        pattern=shape.native,
        encoding=written.encoding,
        delimiter=written.delimiter,
        sheet=written.sheet,
        header_row=written.header_row,
        null=written.null,
        newest=written.newest,
        rows=written.rows,
    )


def refuse_drop(shape: EntityShape, findings: Findings, place: Place) -> None:
    """Note a table that only files can have."""
    if shape.file is not None:
        write = "Leave [entity.….file] out."
        findings.add((*place, "file"), "file is for systems of kind file alone", write)
