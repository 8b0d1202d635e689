"""What holds for every answer, health, and the page."""

import pytest

from tests.served import ROOT
from tests.web.clients import client, refused
from web.application import Health, Settings


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "-a", "é", "a\tb"])
@pytest.mark.parametrize("path", ["/graphql", "/livez", "/readyz", "/version", "/nowhere", "/"])
async def test_every_answer_has_a_request_id_of_its_own(path: str, given: str) -> None:
    async with client() as http:
        answers = [
            await http.get(path, headers=[(b"x-request-id", given.encode())]) for _ in range(2)
        ]

    ids = [answer.headers["x-request-id"] for answer in answers]
    assert [len(ids[0]), ids[0] != ids[1], given in ids] == [32, True, False]


async def test_a_well_formed_request_id_comes_back_also_from_a_preflight() -> None:
    settings = Settings(origins=("https://desk.example",))
    async with client(settings, {"x-request-id": "desk-1.2_3"}) as http:
        answers = [
            await http.post("/graphql", content=b"{"),
            await http.options(
                "/graphql",
                headers={
                    "origin": "https://desk.example",
                    "access-control-request-method": "POST",
                },
            ),
        ]

    assert [answer.headers.get_list("x-request-id") for answer in answers] == [["desk-1.2_3"]] * 2


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://desk.example", "https://desk.example"),
        ("https://evil.example", None),
        ("https://desk.example.evil.example", None),
        ("null", None),
    ],
)
async def test_only_listed_origins_are_let_in(origin: str, allowed: str | None) -> None:
    settings = Settings(origins=("https://desk.example",))
    async with client(settings) as http:
        plain = await http.post("/graphql", json={"query": "{me}"}, headers={"origin": origin})
        preflight = await http.options(
            "/graphql",
            headers={
                "origin": origin,
                "access-control-request-method": "POST",
                "access-control-request-headers": "authorization, content-type, x-request-id",
            },
        )

    name = "access-control-allow-origin"
    assert [plain.headers.get(name), preflight.headers.get(name)] == [allowed, allowed]
    assert preflight.status_code == (200 if allowed else 400)


async def test_health_and_version_need_no_token() -> None:
    async with client(headers={}) as http:
        answers = [await http.get(path) for path in ("/livez", "/readyz", "/version")]

    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (200, {"status": "alive"}),
        (200, {"status": "ready"}),
        (200, {"version": "1.2"}),
    ]


@pytest.mark.parametrize(
    ("health", "status", "said"),
    [
        (Health.READY, 200, "ready"),
        (Health.DEGRADED, 200, "degraded"),
        (Health.DOWN, 503, "down"),
        (None, 503, "down"),
    ],
)
async def test_degraded_is_not_dead(health: Health | None, status: int, said: str) -> None:
    async def check() -> Health:
        if health is None:
            raise OSError("disk")
        return health

    async with client(Settings(health=check)) as http:
        answer = await http.get("/readyz")

    assert [answer.status_code, answer.json()] == [status, {"status": said}]


async def test_an_unknown_address_is_404_and_says_where_to_go() -> None:
    async with client() as http:
        answer = await http.get("/graph")
        method = await http.post("/livez")

    assert [answer.status_code, answer.json()] == [
        404,
        refused("BAD_USER_INPUT", "没有这个地址;查询请用 /graphql。"),
    ]
    assert [method.status_code, sorted(method.headers["allow"].split(", "))] == [
        405,
        ["GET", "HEAD"],
    ]


async def test_a_browser_is_shown_the_page() -> None:
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    async with client(headers={}) as http:
        answers = [await http.get(path, headers=browser) for path in ("/", "/graphql")]

    assert [(answer.status_code, answer.headers["location"]) for answer in answers] == [
        (303, "/graphiql/"),
        (303, "/graphiql/"),
    ]


async def test_everything_the_page_names_comes_from_this_server() -> None:
    async with client(headers={}) as http:
        page = await http.get("/graphiql/")
        names = [
            piece.split('"')[0]
            for mark in ('src="', 'href="')
            for piece in page.text.split(mark)[1:]
            if not piece.startswith("data:")
        ]
        parts = [await http.get(f"/graphiql/{name}") for name in names]

    assert sorted(names) == [
        "examples.js",
        "start.css",
        "start.js",
        "vendor/graphiql.min.css",
        "vendor/graphiql.min.js",
        "vendor/react-dom.production.min.js",
        "vendor/react.production.min.js",
    ]
    assert [part.status_code for part in parts] == [200] * len(names)
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 's")


def test_vendored_files_are_the_ones_that_are_listed() -> None:
    folder = ROOT / "web" / "vendor"
    listed = [
        line.split("`")[1]
        for line in (folder / "VENDORED.md").read_text().splitlines()
        if line.startswith("| `")
    ]

    assert sorted(listed) == sorted(
        path.name for path in folder.iterdir() if path.suffix in {".js", ".css"}
    )


async def test_the_endpoint_with_a_slash_behind_it_leads_to_the_endpoint() -> None:
    async with client() as http:
        led = await http.post("/graphql/", json={"query": "{ me }"})

    assert led.status_code == 307
    assert led.headers["location"].endswith("/graphql")
