"""The shape of a mapping file: every table and key it may have. Knows no entity of the schema."""

from datetime import date
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from sources.declaration import Storage, System
from sources.maintenance import recurrence
from sources.quantity import seconds, size_bytes

PERSON: Final = "Resident"
PERSON_NUMBER: Final = "idNumber"
Text: TypeAlias = Annotated[str, StringConstraints(min_length=1)]
Seconds: TypeAlias = Annotated[float, BeforeValidator(seconds)]
Bytes: TypeAlias = Annotated[int, BeforeValidator(size_bytes)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
MaintenanceWindow: TypeAlias = Annotated[Any, BeforeValidator(recurrence)]
Type: TypeAlias = Literal[
    "string", "code", "integer", "decimal", "money", "boolean", "date", "datetime", "division"
]


def _scalar(value: object) -> object:
    if isinstance(value, str | int):
        return value
    raise ValueError("a text, a whole number, true or false")


def _day(value: object) -> object:
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        raise ValueError('a day such as "2023-06-30"') from None


def _listed(value: object) -> object:
    return [value] if isinstance(value, dict) else value


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _person(value: object) -> object:
    return {"to": PERSON, "by": {value: PERSON_NUMBER}} if isinstance(value, str) else value


Day: TypeAlias = Annotated[date, BeforeValidator(_day)]
Scalar: TypeAlias = Annotated[Any, BeforeValidator(_scalar)]


class Shape(BaseModel):
    """A table whose keys are all known and whose values have exactly the type asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class BudgetShape(Shape):
    """`budget = {…}`: what one read may cost."""

    timeout: Seconds | None = None
    concurrency: Count | None = None
    rows: Count | None = None
    bytes: Bytes | None = None
    queue: Count | None = None
    retries: Annotated[int, Field(ge=0)] | None = None
    failures: Count | None = None
    pause: Seconds | None = None
    stale: Seconds | None = None


class SignatureShape(Shape):
    """`[signature]`: how requests are authenticated."""

    style: Literal["header", "hmac"]
    header: Text
    value: Text | None = Field(default=None, repr=False)
    key: Text | None = None
    secret: Text | None = Field(default=None, repr=False)
    digest: Literal["sha256", "sm3"] = "sha256"


class FileShape(Shape):
    """The file itself; entities are read one by one."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$")]
    title: Text
    department: Text
    kind: Literal["sql", "rest", "graphql", "file"]
    url: Text = Field(repr=False)
    divisions: System = "MCA-2025"
    divisions_since: Day | None = None
    coverage: list[Text] = []
    freshness: Seconds | None = None
    refresh: Seconds | None = None
    maintenance: list[MaintenanceWindow] = []
    time_zone: Text = "Asia/Shanghai"
    collation: Literal["binary"] | None = None
    budget: BudgetShape = BudgetShape()
    signature: SignatureShape | None = None
    entity: dict[str, Any]


class AttachShape(Shape):
    """`attach = {…}`: the core entity and the field of it that the facet hangs from."""

    to: Text
    field: Text
    by: Annotated[dict[str, Text], Field(min_length=1)]
    many: bool = True


class SubjectShape(Shape):
    """`subject = {…}`: whom or what the rows are about; a text means a person."""

    to: Text
    by: Annotated[dict[str, Text], Field(min_length=1)]


class DropShape(Shape):
    """`[entity.X.file]`: how a dropped file is read."""

    encoding: Literal["utf-8", "gbk", "gb18030"] = "utf-8"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    sheet: str = ""
    header_row: Count = 1
    null: str = ""
    newest: Literal["name", "modified"] = "name"
    rows: Count = 1_000_000


class FieldShape(Shape):
    """One line of `[entity.X.fields]`."""

    native: Text | None = None
    constant: Text | None = None
    type: Type | None = None
    storage: Storage | None = None
    format: Literal["yyyymmdd", "yyyymm", "iso", "plain", "epoch_ms"] | None = None
    unit: Text | None = None
    codes: Annotated[dict[str, str], Field(min_length=1)] | None = None
    codes_integer: bool = False
    labels: Annotated[dict[str, str], Field(min_length=1)] | None = None
    trim: bool = False
    case: Literal["upper"] | None = None
    true: Scalar = None
    false: Scalar = None
    digits: Literal[2, 4, 6, 9, 12] | None = None
    nullable: bool | None = None
    sensitivity: Literal["open", "personal", "restricted"] | None = None
    identifier: Literal["citizen_number", "organisation_code"] | None = None
    restates: Annotated[list[Text], BeforeValidator(_several)] = []
    description: Text | None = None


class PagingShape(Shape):
    """`paging = {…}`: how the next page is asked for."""

    style: Literal["page", "offset", "cursor"]
    parameter: Text
    size_parameter: str = ""
    size: Count = 100
    first: Annotated[int, Field(ge=0)] | None = None
    next: str = ""
    more: str = ""


class RestShape(Shape):
    """`[entity.X.rest]`: how the entity is asked for and where its rows are in the answer."""

    method: Literal["GET", "POST"] = "GET"
    body: dict[str, Any] = {}
    parameters_at: str = ""
    fixed: dict[str, str] = {}
    rows: str = ""
    total: str = ""
    answered: str = ""
    success: dict[str, Scalar] = {}
    paging: PagingShape | None = None
    scan: bool = False


class GraphqlShape(Shape):
    """`[entity.X.graphql]`: arguments that are always given, and where the rows are."""

    fixed: dict[str, Any] = {}
    rows: str = ""
    total: str = ""
    answered: str = ""
    paging: PagingShape | None = None
    scan: bool = False


class CacheShape(Shape):
    """`cache = {…}`: how old an answer may be that was kept, and whether all rows are kept."""

    freshness: Seconds
    whole: bool = False


class ByKeyShape(Shape):
    """`by_key = {…}`: a parameter or argument that takes many values of one field at once."""

    field: Text
    parameter: Text
    batch: Count = 1
    separator: Text = ","


class PushdownShape(Shape):
    """`[entity.X.pushdown]`: what the system is said to filter by; `check` proves it."""

    by_key: Annotated[list[ByKeyShape], BeforeValidator(_listed)] = []
    filters: dict[str, Text] = {}
    trusted: bool = False


class EntityShape(Shape):
    """`[entity.X]`; its fields are read one by one."""

    description: Text | None = None
    attach: Annotated[list[AttachShape], BeforeValidator(_listed)] = []
    native: Text
    key: Annotated[list[Text], Field(min_length=1)] | None = None
    subject: Annotated[SubjectShape, BeforeValidator(_person)] | None = None
    as_of: str = ""
    cache: CacheShape | None = None
    home: Annotated[dict[str, Annotated[list[Text], Field(min_length=1)]], Field(min_length=1)] = {}
    fields: Annotated[dict[str, Any], Field(min_length=1)]
    file: DropShape | None = None
    graphql: GraphqlShape | None = None
    rest: RestShape | None = None
    pushdown: PushdownShape | None = None
