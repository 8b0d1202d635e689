"""The demo's accounts."""

from auth.principal import Principal
from demo.accounts import Account, accounts
from demo.land import townships
from demo.scene import HEAD


def test_a_clerk_holds_one_role_in_one_township() -> None:
    assert accounts()["clerk-320205106"] == Account(
        name="clerk-320205106",
        title="无锡市锡山区锡北镇综合窗口办事员",
        roles=("township_clerk",),
        scopes=("320205106",),
    )


def test_every_division_and_every_department_has_its_account() -> None:
    names = accounts()
    counts = {
        prefix: sum(name.startswith(prefix) for name in names)
        for prefix in (
            "clerk-",
            "county-",
            "city-",
            "province-",
            "officer-",
            "auditor",
            "statistician-",
            "administrator-",
        )
    }

    assert counts == {
        "clerk-": 1_336,
        "county-": 95,
        "city-": 13,
        "province-": 1,
        "officer-": 13,
        "auditor": 1,
        "statistician-": 14,
        "administrator-": 190,
    }


def test_grid_workers_are_in_every_village_of_the_demo_townships() -> None:
    villages = {village.code for each in townships(60_000) for village in each.villages}

    grid = {name for name in accounts() if name.startswith("grid-")}

    assert grid == {f"grid-{code}" for code in villages}


def test_every_department_has_one_officer() -> None:
    officers = [a for a in accounts().values() if a.roles == ("department_officer",)]

    assert sorted((officer.name, officer.department) for officer in officers) == [
        ("officer-civil_affairs", "民政"),
        ("officer-electricity", "电力"),
        ("officer-gas", "燃气"),
        ("officer-grid_visits", "政法"),
        ("officer-health", "卫健"),
        ("officer-housing_fund", "公积金"),
        ("officer-market_regulation", "市监"),
        ("officer-medical_insurance", "医保"),
        ("officer-population", "公安"),
        ("officer-service_platform", "数据"),
        ("officer-social_security", "人社"),
        ("officer-tax", "税务"),
        ("officer-water", "水务"),
    ]


def test_every_account_is_a_principal() -> None:
    for account in accounts().values():
        Principal(account.name, account.roles, account.scopes, account.department)


def test_one_resident_asks_about_herself_and_an_auditor_reads_the_ledger() -> None:
    found = accounts()

    assert found["resident"].roles == ("resident",)
    assert (found["resident"].scopes, found["resident"].citizen) == (("32",), HEAD.id_number)
    assert {a.name for a in found.values() if a.citizen} == {"resident"}
    assert found["auditor"].roles == ("auditor",)
