"""A world of twelve people in three townships, one for each odd case, as plain rows."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from contract.entity import Entity, Field, Kind, Relationship, Sensitivity

Row = Mapping[str, object]

XIBEI: Final = "320205106"  # 锡北镇, in 锡山区 of 无锡
DONGHU: Final = "320205001"  # a street of the same county
BENNIU: Final = "320411107"  # 奔牛镇, in 新北区 of 常州
OUTSIDE: Final = "340100"


def id_number(serial: int) -> str:
    """Return a number that no office gives out: the area 999999 does not exist."""
    return f"99999919800101{serial:03d}X"


def person(serial: int, name: str | None, division: str | None, **more: object) -> Row:
    """Return a resident who lives and is registered in one place unless said otherwise."""
    return {
        "number": f"R{serial:02d}",
        "idNumber": id_number(serial),
        "name": name,
        "sex": "FEMALE" if serial % 2 else "MALE",
        "nation": "01",
        "birthDate": date(1940 + serial * 5, 1, 1),
        "householdNumber": f"H{serial // 2}",
        "relationToHead": "HEAD" if serial % 2 == 0 else "SPOUSE",
        "registeredDivision": division,
        "residenceDivision": division,
        "village": f"{division}001" if division else None,
        "address": f"{serial}号",
        "phone": f"1990000{serial:04d}",
        "deathDate": None,
        **more,
    }


RESIDENTS: Final[Sequence[Row]] = (
    person(0, "张一", XIBEI),
    person(1, "张一", XIBEI),
    person(2, "欧阳二", XIBEI, registeredDivision=BENNIU),
    person(3, "𠮷三", XIBEI, phone=None),
    person(4, "李四", DONGHU),
    person(5, "", DONGHU, birthDate=None),
    person(6, "a", DONGHU, registeredDivision=XIBEI),
    person(7, "A ", BENNIU),
    person(8, None, BENNIU, registeredDivision=OUTSIDE),
    person(9, "<script>", BENNIU, householdNumber=None),
    person(10, "王十", None, householdNumber=None),
    person(11, "陈死", XIBEI, deathDate=date(2024, 2, 29), sex="UNKNOWN"),
)

HOUSEHOLDS: Final[Sequence[Row]] = tuple(
    {
        "number": f"H{number}",
        "headIdNumber": id_number(number * 2),
        "address": f"{number}户",
        "division": division,
        "village": f"{division}001" if division else None,
        "kind": "FAMILY",
        "size": 2,
    }
    for number, division in enumerate((XIBEI, XIBEI, DONGHU, DONGHU, BENNIU, None))
)


def case(serial: int, applicant: int, division: str | None, **more: object) -> Row:
    """Return a case of a resident, accepted in a division."""
    return {
        "number": f"C{serial:02d}",
        "matterCode": "320000030003" if serial % 2 else "320000030001",
        "department": "民政" if serial % 3 else "医保",
        "applicantType": "PERSON",
        "applicantName": RESIDENTS[applicant]["name"],
        "applicantIdNumber": id_number(applicant),
        "contactName": None,
        "contactPhone": RESIDENTS[applicant]["phone"],
        "channel": "WINDOW" if serial % 2 else "ONLINE",
        "status": "ACCEPTED" if serial % 4 else "CLOSED",
        "appliedAt": datetime(2026, 1, 1 + serial, 1, 30, tzinfo=UTC),
        "acceptedAt": None if serial % 5 == 0 else datetime(2026, 1, 2 + serial, tzinfo=UTC),
        "promisedOn": date(2026, 2, 1),
        "closedAt": None,
        "acceptingDivision": division,
        "acceptingOrganisation": "便民服务中心",
        "handler": "经办甲",
        "updatedAt": datetime(2026, 1, 20, tzinfo=UTC),
        **more,
    }


CASES: Final[Sequence[Row]] = (
    case(0, 0, XIBEI),
    case(1, 0, XIBEI),
    case(2, 0, XIBEI, status="UNKNOWN"),
    case(3, 2, XIBEI),
    case(4, 4, XIBEI),
    case(5, 4, DONGHU),
    case(6, 6, DONGHU),
    case(7, 7, BENNIU),
    case(8, 0, BENNIU),
    case(9, 9, None),
)

EVENTS: Final[Sequence[Row]] = tuple(
    {
        "number": f"E{place}{step}",
        "caseNumber": row["number"],
        "name": ("收件", "受理")[step],
        "startedAt": datetime(2026, 1, 1 + place, 2 + step, tzinfo=UTC),
        "endedAt": None,
        "handler": "经办甲",
        "note": "同意",
    }
    for place, row in enumerate(CASES)
    for step in range(2)
)

ENROLLMENTS: Final[Sequence[Row]] = tuple(
    {
        "personNumber": f"P{serial}",
        "idNumber": id_number(serial),
        "kind": "RESIDENT" if serial % 3 else "EMPLOYEE",
        "balance": Decimal(serial * 10),
    }
    for serial in (0, 1, 2, 4, 7, 9, 10)
)

ENTERPRISES: Final[Sequence[Row]] = (
    {"number": "U1", "creditCode": "91320205MA00000001", "name": "锡北厂", "division": XIBEI},
    {"number": "U2", "creditCode": "91320411MA00000002", "name": "奔牛厂", "division": BENNIU},
)

ENROLLMENT: Final = Entity(
    "MedicalEnrollment",
    MappingProxyType(
        {
            field.name: field
            for field in (
                Field("personNumber", Kind.STRING, "个人编号 | Number", nullable=False),
                Field(
                    "idNumber",
                    Kind.STRING,
                    "证件号码 | Number of the document",
                    sensitivity=Sensitivity.RESTRICTED,
                ),
                Field(
                    "kind",
                    Kind.CODE,
                    "险种 | Kind of insurance",
                    sensitivity=Sensitivity.PERSONAL,
                    codes=("EMPLOYEE", "RESIDENT"),
                ),
                Field(
                    "balance",
                    Kind.DECIMAL,
                    "余额 | Balance",
                    unit="yuan",
                    sensitivity=Sensitivity.RESTRICTED,
                ),
            )
        }
    ),
    ("personNumber",),
    MappingProxyType(
        {
            "subject": Relationship(
                "subject", "Resident", (("idNumber", "idNumber"),), description="本人 | The person"
            )
        }
    ),
    "subject",
    "医保参保 | Medical enrolment",
)

ROWS: Final[Mapping[str, Sequence[Row]]] = {
    "Resident": RESIDENTS,
    "Household": HOUSEHOLDS,
    "Case": CASES,
    "CaseEvent": EVENTS,
    "CaseMaterial": (),
    "CaseResult": (),
    "Enterprise": ENTERPRISES,
    "MedicalEnrollment": ENROLLMENTS,
}
