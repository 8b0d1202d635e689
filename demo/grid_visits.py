"""
The stand-in of the grid workers' system: a CSV file in GBK, dropped once a day.

Its columns are in Chinese, its days `yyyymmdd`; what GBK lacks has become a question mark.
"""

import csv
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final, TextIO

from demo import scene
from demo.identifiers import scattered
from demo.land import Township
from demo.loading import Add
from demo.names import full_name, surname
from demo.people import Household
from demo.province import Records
from demo.tables import Row
from demo.working_days import TODAY

COLUMNS: Final = ("走访编号", "网格员", "户编号", "走访日期", "走访情况", "照片数", "备注")
NAME: Final = f"wgzf-{TODAY:%Y%m%d}.csv"
_DAYS: Final = 180
_SHARE: Final = 0.25
_EVERY_DAYS: Final = 30
_MOST: Final = 8
_FINDINGS: Final = ("正常", "家中无人", "需要帮扶", "安全隐患", "其他")
_WEIGHTS: Final = (78, 12, 5, 4, 1)
_NOTES: Final = {
    "正常": "",
    "家中无人": "门口留联系卡",
    "需要帮扶": '本人反映"看病花费大",建议核对家庭经济状况',
    "安全隐患": "电线老化,已告知户主",
    "其他": "",
}
_OF_SCENE: Final = (
    (1, date(2026, 8, 18), "需要帮扶", 2, "住院后生活困难，建议申请临时救助"),
    (2, date(2026, 9, 16), "正常", 1, "临时救助金已到账"),
    (3, date(2026, 10, 20), "正常", 1, ""),
)
_WORKER_OF_SCENE: Final = "浦建芳"
_RESERVED: Final = 999_999_940


def visits(records: Records) -> Iterator[Row]:
    """Yield the visits of one township; households on assistance are visited every month."""
    random = Random(f"{records.seed} visits {records.township.code}")
    workers = _workers(random, records.township)
    heads = {row.head_id_number.upper() for row in records.assistances if row.state == "ACTIVE"}
    for household in records.households:
        if household is scene.HOUSEHOLD:
            yield from _of_scene()
            continue
        often = household.head is not None and household.head.id_number in heads
        if often or random.random() < _SHARE:
            worker = workers.get(household.village or "", "巡查队")
            yield from _of_household(random, household, worker, often=often)


def _of_household(
    random: Random, household: Household, worker: str, *, often: bool
) -> Iterator[Row]:
    ago = random.randrange(1, _EVERY_DAYS if often else _DAYS)
    serial = household.members[0].serial
    for index in range(_MOST):
        if ago > _DAYS or (index and not often):
            return
        (finding,) = random.choices(_FINDINGS, _WEIGHTS)
        day = TODAY - timedelta(days=ago)
        photos = random.randrange(4)
        number = f"V{scattered(serial * _MOST + index):09}"
        yield number, worker, household.number, f"{day:%Y%m%d}", finding, photos, _NOTES[finding]
        ago += _EVERY_DAYS + random.randrange(-5, 20)


def _workers(random: Random, township: Township) -> dict[str, str]:
    return {
        village.code: full_name(random, surname(random), 1986, female=bool(random.randrange(2)))
        for village in township.villages
    }


def _of_scene() -> Iterator[Row]:
    for index, day, finding, photos, note in _OF_SCENE:
        number = f"V{_RESERVED + index}"
        household = scene.HOUSEHOLD.number
        yield number, _WORKER_OF_SCENE, household, f"{day:%Y%m%d}", finding, photos, note


@asynccontextmanager
async def dropped(folder: Path) -> AsyncIterator[Add]:
    """Write the day's file; it lies in the folder once it is whole."""
    with _part(folder) as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)

        async def add(records: Records) -> None:
            writer.writerows(visits(records))

        yield add
    _whole(folder)


def _whole(folder: Path) -> None:
    (folder / "part").rename(folder / NAME)


def _part(folder: Path) -> TextIO:
    folder.mkdir(exist_ok=True)
    return (folder / "part").open("w", encoding="gbk", errors="replace", newline="")
