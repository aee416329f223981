"""Who gets in where: each role and nobody, times each path, at each place where a studio may stand."""

from __future__ import annotations

import importlib
import pkgutil
from unittest.mock import MagicMock

import pytest
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from streamlit.web.server.starlette.starlette_app import create_streamlit_routes

from kling.studio.identity.roles import ROLES
from kling.studio.service import Studio
from pages._ui import routes as package
from pages._ui.job import address
from pages._ui.routes.paths import DOORS, PAGES, Doors
from tests.pages.gate_tools import PLACES, Place, Team
from tests.pages.people import uses_of

# The least who gets in: `anyone` without a session too. `nowhere` is not there, whoever asks.
TABLE = [
    ("GET", "/healthz", "anyone"),
    ("GET", "/_stcore/health", "anyone"),
    ("HEAD", "/_stcore/health", "anyone"),
    ("GET", "/sign-in", "anyone"),
    ("POST", "/sign-in", "anyone"),
    ("GET", "/sign-in/invitation/a-token", "anyone"),
    ("POST", "/sign-in/invitation/a-token", "anyone"),
    ("GET", "/sign-in/oidc", "anyone"),
    ("GET", "/sign-in/callback", "anyone"),
    ("POST", "/sign-out", "anyone"),
    ("POST", "/sign-out/everywhere", "anyone"),
    ("POST", "/callbacks", "anyone"),
    ("GET", "/share/a-token", "anyone"),
    ("GET", "/share/a-token/v1.mp4", "anyone"),
    ("GET", "/public/sign-in.css", "anyone"),
    ("GET", "/metrics", "anyone"),  # its route asks
    ("GET", "/", "viewer"),
    ("GET", "/history", "viewer"),
    ("GET", "/history/", "viewer"),
    ("GET", "/gallery", "viewer"),
    ("GET", "/collections", "viewer"),
    ("GET", "/sharing", "maker"),
    ("GET", "/compare?ids=a,b", "viewer"),
    ("GET", "/job", "viewer"),
    ("GET", "/spend", "maker"),
    ("GET", "/compose", "viewer"),
    ("GET", "/admin", "admin"),
    ("GET", "/live", "viewer"),
    ("SOCKET", "/live", "viewer"),
    ("GET", "/assets/stage-0a.js", "viewer"),
    ("GET", "/clips/v1.mp4", "viewer"),
    ("HEAD", "/clips/v1.mp4", "viewer"),
    ("GET", "/films/0a.mp4", "viewer"),
    ("GET", "/film?of=v1", "viewer"),
    ("GET", "/posters/fox.jpg", "viewer"),
    ("GET", "/pictures/0a", "viewer"),
    ("GET", "/take-away?ids=v1", "viewer"),
    ("GET", "/take-away/progress", "viewer"),
    ("GET", "/take-away/v1", "nowhere"),
    ("GET", "/previews/pan.mp4", "viewer"),
    ("GET", "/export", "viewer"),
    ("GET", "/wall?page=2", "viewer"),
    ("GET", "/viewer?clip=v1", "viewer"),
    ("HEAD", "/export", "viewer"),
    ("PUT", "/drafts/00000000000000000000", "maker"),
    ("PUT", "/pictures", "maker"),
    ("PUT", "/imports", "admin"),
    ("POST", "/assistant", "maker"),
    ("SOCKET", "/_stcore/stream", "viewer"),
    ("GET", "/_stcore/host-config", "viewer"),
    ("GET", "/static/js/index.js", "viewer"),
    ("GET", "/media/0a.txt", "viewer"),
    ("GET", "/favicon.png", "viewer"),
    ("GET", "/manifest.json", "nowhere"),
    # What of Streamlit is not used.
    ("GET", "/_stcore/metrics", "nowhere"),
    ("GET", "/_stcore/script-health-check", "nowhere"),
    ("PUT", "/_stcore/upload_file/session/file", "nowhere"),
    ("DELETE", "/_stcore/upload_file/session/file", "nowhere"),
    ("OPTIONS", "/_stcore/upload_file/session/file", "nowhere"),
    ("GET", "/component/name/index.html", "nowhere"),
    ("GET", "/_stcore/bidi-components/name/index.js", "nowhere"),
    ("GET", "/auth/login", "nowhere"),
    ("GET", "/auth/logout", "nowhere"),
    ("GET", "/oauth2callback", "nowhere"),
    ("POST", "/_stcore/agent/interact", "nowhere"),
    ("GET", "/_stcore/agent/openapi.json", "nowhere"),
    ("POST", "/_stcore/agent/mcp", "nowhere"),
    ("GET", "/app/static/secret.txt", "nowhere"),
    ("SOCKET", "/_stcore/other", "nowhere"),
    # What only looks like a way in.
    ("GET", "/sign-inside", "nowhere"),
    ("GET", "/shared", "nowhere"),
    ("GET", "/publication", "nowhere"),
    ("GET", "/healthz/more", "nowhere"),
    ("GET", "/share/..%2fclips/v1.mp4", "nowhere"),
    ("GET", "/public//clips/v1.mp4", "nowhere"),
    ("GET", "/public/..%5cclips/v1.mp4", "nowhere"),
    ("GET", "/clips%00/v1.mp4", "nowhere"),
    ("GET", "/HISTORY", "nowhere"),
    ("GET", "/nothing", "nowhere"),
]
METHODS_THAT_ARE_NOT_TAKEN = [
    ("POST", "/"),
    ("DELETE", "/clips/v1.mp4"),
    ("PUT", "/healthz"),
    ("GET", "/pictures"),
    ("GET", "/imports"),
    ("GET", "/assistant"),
    ("GET", "/callbacks"),
    ("OPTIONS", "/history"),
    ("SOCKET", "/history"),
    ("SOCKET", "/healthz"),
    ("POST", "/_stcore/stream"),
]


@pytest.fixture(params=PLACES, ids=str)
def team(studio: Studio, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Team:
    place: Place = request.param
    return Team(studio, place, monkeypatch)


@pytest.mark.parametrize("role", [None, *ROLES])
def test_each_path_lets_in_whom_the_table_says(team: Team, role):
    found, expected = {}, {}
    with team.client(role) as client:
        for method, path, least in TABLE:
            passes = 101 if method == "SOCKET" else 200
            if least == "anyone":
                status = passes
            elif role is None:
                status = 401
            elif role == "none" or (least != "nowhere" and ROLES.index(role) < ROLES.index(least)):
                status = 403
            else:
                status = 404 if least == "nowhere" else passes
            expected[method, path] = 403 if method == "SOCKET" and status != 101 else status
            found[method, path] = team.ask(client, method, path)
    assert found == expected


def test_only_what_somebody_does_is_use_of_the_session(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    team, doors = Team(studio, PLACES[0], monkeypatch), Doors()
    used = uses_of(studio.state.sessions, monkeypatch)

    def uses(method: str, path: str, accept: str) -> bool:
        used.clear()
        team.ask(client, method, path, Accept=accept)
        return True in used

    with team.client("admin") as client:
        for method, path, least in TABLE:
            door = doors.find(path.partition("?")[0])
            if least == "nowhere" or (door and door.needs == "open"):
                continue
            is_press = method in {"PUT", "POST"}
            assert uses(method, path, "*/*") == is_press, path
            assert method == "SOCKET" or uses(method, path, "text/html,*/*"), path


def test_a_method_that_a_path_does_not_take_is_refused(team: Team):
    with team.client("admin") as client:
        for method, path in METHODS_THAT_ARE_NOT_TAKEN:
            assert team.ask(client, method, path) == (403 if method == "SOCKET" else 405)
    assert team.behind.asked == []


def test_nothing_is_answered_outside_the_base_path(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    team = Team(studio, PLACES[1], monkeypatch)
    client = team.client("admin")
    for path in ("/", "/history", "/healthz", "/studiohistory", "/studio/../history"):
        assert client.get(path).status_code == 404
    assert client.get("/studio").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/share/../clips/v1.mp4", "/share/./x", "/share/..", "//history", "/share//x", "/a\\b", "/share/\n"],
)
def test_a_path_that_could_be_read_in_two_ways_leads_nowhere(path: str):
    assert Doors().find(path) is None
    assert Doors(base="/studio").find(f"/studio{path}") is None


# -- no route without a decision -----------------------------------------------------------------------------

STREAMLIT_REFUSED = {
    "/_stcore/metrics",
    "/_stcore/upload_file/{session_id}/{file_id}",
    "/component/{path:path}",
    "/_stcore/bidi-components/{path:path}",
    "/auth/login",
    "/auth/logout",
    "/oauth2callback",
    "/_stcore/agent/interact",
    "/_stcore/agent/openapi.json",
    "/_stcore/agent/mcp",
}
STREAMLIT_USED = {
    "/_stcore/health",
    "/_stcore/host-config",
    "/_stcore/stream",
    "/media/{file_id:path}",
    "",  # the files of its pages
}


def own_routes() -> list[BaseRoute]:
    modules = [
        importlib.import_module(f"{package.__name__}.{found.name}")
        for found in pkgutil.iter_modules(package.__path__)
    ]
    return [route for module in modules if hasattr(module, "routes") for route in module.routes()]


def path_and_methods(route: BaseRoute) -> tuple[str, set[str]]:
    if isinstance(route, Mount):
        return f"{route.path}/x", {"GET", "HEAD"}
    assert isinstance(route, Route | WebSocketRoute)
    example = route.path.replace("{", "").replace("}", "").replace(":path", "")
    return example, set(route.methods or ()) if isinstance(route, Route) else {"SOCKET"}


def test_every_route_of_ours_has_a_door_that_takes_its_methods():
    doors = Doors()
    for route in own_routes():
        path, methods = path_and_methods(route)
        door = doors.find(path)
        assert door is not None, f"{path} has no line in paths.py"
        assert methods <= door.methods, path


def test_every_route_of_streamlit_is_used_or_refused_on_purpose():
    routes = create_streamlit_routes(MagicMock())
    assert {getattr(route, "path", None) for route in routes} == STREAMLIT_REFUSED | STREAMLIT_USED
    doors = Doors()
    for path in STREAMLIT_REFUSED:
        assert doors.find(path.replace("{", "").replace("}", "")) is None
    for path in STREAMLIT_USED - {""}:
        assert doors.find(path.replace("{", "").replace("}", "")) is not None


def test_every_door_stands_in_the_table():
    doors = Doors()
    tested = {doors.find(path.partition("?")[0]) for _, path, least in TABLE if least != "nowhere"}
    assert set(DOORS) - tested == set()
    methods = {(doors.find(path.partition("?")[0]), method) for method, path, _ in TABLE}
    for door in DOORS:
        for method in door.methods - {"HEAD"}:
            is_form = method == "GET" and door.path.startswith("/sign-out")
            assert is_form or (door, method) in methods, (door.path, method)


def test_every_page_has_a_door_and_is_named_where_pages_are():
    import ast

    from tests.pages.conftest import ROOT

    tree = ast.parse((ROOT / "pages" / "main.py").read_text(encoding="utf-8"))
    pages = [
        [
            str(node.args[0].value),
            *(ast.unparse(word.value) for word in node.keywords if word.arg == "url_path"),
        ]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "st.Page"
        and isinstance(node.args[0], ast.Constant)
    ]
    assert len(pages) >= 3
    names = {
        ast.literal_eval(named[0]) if named else file.removesuffix(".py"): file for file, *named in pages
    }
    assert {"", *names} == set(PAGES)
    assert {"main.py", "__init__.py", *names.values()} == {
        file.name for file in (ROOT / "pages").glob("*.py")
    }
    assert set(address.PLACES) < set(PAGES)
