"""Administrative divisions, and the enterprises in them."""

from datetime import date
from enum import Enum

from contract.entity import Field, Kind
from schema.codes import code_set
from schema.column import column, core, to_many, to_one
from schema.node import Node
from schema.scalars import DivisionCode


@code_set("区划层级 | Level of a division")
class DivisionLevel(Enum):
    PROVINCE = "省 | Province"
    CITY = "设区市 | City"
    COUNTY = "县(市、区) | County"
    TOWNSHIP = "乡镇(街道) | Township"
    VILLAGE = "村(社区) | Village"


@core(
    "行政区划:省、市、县、乡镇(街道)、村(社区) | A division: province to village",
    key=("code",),
)
class Division(Node):
    code: DivisionCode = column("区划代码(有效位) | Division code, significant digits")
    name: str = column("名称 | Name")
    level: DivisionLevel | None = column("层级 | Level")
    kind: str | None = column("类型(街道、镇、乡、开发区等) | Kind: street, town, township, zone")
    parent_code: DivisionCode | None = column("上级区划代码 | Code of the division above")

    parent = to_one("Division", "上级区划 | The division above", parent_code="code")
    children = to_many("Division", "下级区划 | Divisions beneath", code="parentCode")
    residents = to_many("Resident", "常住居民 | Residents", code="residenceDivision")
    households = to_many("Household", "户 | Households", code="division")
    cases = to_many("Case", "受理的办件 | Cases accepted here", code="acceptingDivision")
    enterprises = to_many("Enterprise", "市场主体 | Enterprises", code="division")


@core(
    "市场主体,来自市场监管登记 | An enterprise or shop, from the market regulation registry",
    key=("number",),
    hidden=(Field("number", Kind.STRING, nullable=False),),
)
class Enterprise(Node):
    credit_code: str | None = column("统一社会信用代码 | Unified social credit code")
    name: str | None = column("名称 | Name")
    division: DivisionCode | None = column("所在地区划 | Division")
    kind: str | None = column("类型 | Kind")
    established_on: date | None = column("成立日期 | Established on")
    address: str | None = column("住所 | Address")
    business_scope: str | None = column("经营范围 | Business scope")

    located_in = to_one("Division", "所在地 | Where it is", division="code")
