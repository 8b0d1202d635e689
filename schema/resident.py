"""Residents and their households, from the population system."""

from datetime import date, datetime

from contract.entity import Field, Kind, Sensitivity
from schema.codes import HouseholdKind, RelationToHead, Sex
from schema.column import column, core, to_many, to_one
from schema.node import Node
from schema.scalars import DivisionCode

PERSONAL, RESTRICTED = Sensitivity.PERSONAL, Sensitivity.RESTRICTED


@core(
    "居民,来自公安人口系统 | A resident, from the population system",
    key=("number",),
    hidden=(Field("number", Kind.STRING, nullable=False),),
)
class Resident(Node):
    id_number: str | None = column(
        "公民身份号码(按岗位脱敏) | Citizen number, masked by role", RESTRICTED
    )
    name: str | None = column("姓名 | Name", PERSONAL)
    sex: Sex | None = column("性别 | Sex", PERSONAL)
    nation: str | None = column("民族(GB/T 3304 代码) | Ethnic group, code of GB/T 3304", PERSONAL)
    birth_date: date | None = column("出生日期 | Date of birth", PERSONAL)
    household_number: str | None = column("户号 | Household number", PERSONAL)
    relation_to_head: RelationToHead | None = column(
        "与户主关系 | Relation to the head of the household", PERSONAL
    )
    registered_division: DivisionCode | None = column("户籍地区划 | Division of registration")
    residence_division: DivisionCode | None = column("常住地区划 | Division of residence")
    village: DivisionCode | None = column("居住村(社区) | Village of residence")
    address: str | None = column("住址 | Address", PERSONAL)
    phone: str | None = column("联系电话(按岗位脱敏) | Telephone, masked by role", RESTRICTED)
    death_date: date | None = column("死亡日期 | Date of death", PERSONAL)
    updated_at: datetime | None = column("来源系统更新时间 | Changed in the source at, UTC")

    household = to_one("Household", "所在户 | The household", household_number="number")
    cases = to_many("Case", "作为申请人的办件 | Cases as applicant", id_number="applicantIdNumber")
    registered_in = to_one("Division", "户籍地 | Where registered", registered_division="code")
    lives_in = to_one("Division", "常住地 | Where resident", residence_division="code")
    lives_in_village = to_one("Division", "居住村(社区) | The village lived in", village="code")


@core("户,来自公安人口系统 | A household, from the population system", key=("number",))
class Household(Node):
    number: str = column("户号 | Household number")
    head_id_number: str | None = column(
        "户主公民身份号码(按岗位脱敏) | Citizen number of the head, masked by role", RESTRICTED
    )
    address: str | None = column("户址 | Address", PERSONAL)
    division: DivisionCode | None = column("所在乡镇(街道) | Township of the household")
    village: DivisionCode | None = column("所在村(社区) | Village of the household")
    kind: HouseholdKind | None = column("户类型 | Kind of household")
    size: int | None = column("登记人数 | Registered members", unit="person")
    updated_at: datetime | None = column("来源系统更新时间 | Changed in the source at, UTC")

    members = to_many("Resident", "户内人员 | Members", listed=True, number="householdNumber")
    head = to_one("Resident", "户主 | The head", head_id_number="idNumber")
    located_in = to_one("Division", "所在地 | Where it is", division="code")
