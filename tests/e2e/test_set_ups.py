"""Each of README's ways to share the studio, done as written; no browser is needed for that."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pytest
from websockets.exceptions import InvalidStatus

from kling.studio.__main__ import main
from tests.e2e.set_ups import (
    HOST,
    PATIENCE,
    ROOT,
    Studio,
    Visitor,
    answers,
    block,
    caddy,
    certificate,
    free_port,
    http_server,
    nginx,
    replaced,
    running,
)

SHARED = "shared-link-1234567890"  # a token that nobody has made
PASSWORD = "four words in a row"
SECRET = "canary-of-the-proxy-0123456789"
CLIENT_SECRET = "canary-of-the-provider-0123456789"
# Secrets in every setting that has one. They are found nowhere afterwards.
KEYS = {
    "KLINGAI_ACCESS_KEY": "canary-access-key-0123456789",
    "KLINGAI_SECRET_KEY": "canary-secret-key-of-32-bytes-or-more",
    "STUDIO_WEBHOOK_SECRET": f"whsec_{base64.b64encode(b'canary-of-callbacks-0123456789').decode()}",
    "STUDIO_METRICS_TOKEN": "canary-of-metrics-0123456789",
}
CANARIES = (
    SECRET,
    CLIENT_SECRET,
    PASSWORD,
    *KEYS.values(),
    KEYS["STUDIO_WEBHOOK_SECRET"].removeprefix("whsec_"),
)
PROXY_USERS = {"ada": "ada", "mia": "mia"}


def missing(program: str) -> str:
    """Return why a set-up cannot be done here; in CI it has to be possible."""
    if os.environ.get("CI") or shutil.which(program):
        return ""
    return f"{program} is not installed: apt-get install nginx-light caddy openssl"


needs_nginx = pytest.mark.skipif(bool(missing("nginx") or missing("openssl")), reason=missing("nginx"))
needs_caddy = pytest.mark.skipif(bool(missing("caddy") or missing("openssl")), reason=missing("caddy"))


@dataclass
class Place:
    """A studio behind its proxy."""

    studio: Studio
    port: int
    pem: Path
    base: str = ""
    provider: int = 0

    def visitor(self, **headers: str) -> Visitor:
        return Visitor(self.port, self.pem, headers)


@pytest.fixture(scope="module")
def manager() -> Iterator[socket.socket]:
    """The socket at which systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.settimeout(PATIENCE)
        yield end


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, manager: socket.socket) -> Iterator[dict[str, Place]]:
    """All three at once: a server takes seconds to start, most of them on its own."""
    folder = tmp_path_factory.mktemp("set-ups")
    if missing("openssl"):
        pytest.skip(missing("openssl"))
    pem, key = certificate(folder)
    with ExitStack() as stack:
        found: dict[str, Place] = {}
        processes = {}
        kling = free_port()
        _start_kling(stack, folder, kling)
        for name in ("accounts", "oidc", "proxy"):
            if missing("caddy" if name == "oidc" else "nginx"):
                continue
            here = folder / name
            here.mkdir(mode=0o700)
            port, provider = free_port(), free_port()
            public = {f"https://{HOST}": f"https://{HOST}:{port}"}
            values = {
                "accounts": public,
                "oidc": {
                    **public,
                    "https://login.example.com": f"http://127.0.0.1:{provider}",
                    "…": CLIENT_SECRET,
                },
                "proxy": {**public, "…": SECRET},
            }[name]
            account = {**KEYS, "KLINGAI_BASE_URL": f"http://127.0.0.1:{kling}"}
            studio = Studio(replaced(block(f"set-up: {name}"), values), here, account)
            found[name] = Place(studio, port, pem, "/studio" if name == "proxy" else "", provider)
            if name == "accounts":
                account |= {"NOTIFY_SOCKET": str(here / "notify"), "WATCHDOG_USEC": str(300 * 10**6)}
                manager.bind(account["NOTIFY_SOCKET"])
            if name == "oidc":
                _start_provider(stack, here, provider)
            processes[name] = stack.enter_context(studio.run())
        for name, place in found.items():
            answers(place.studio.port, processes[name], place.studio.log)
            _put_in_front(stack, name, place, key)
        yield found


def _put_in_front(stack: ExitStack, name: str, place: Place, key: Path) -> None:
    files = {"/etc/ssl/studio.pem": str(place.pem), "/etc/ssl/studio.key": str(key)}
    ports = {"127.0.0.1:8501": f"127.0.0.1:{place.studio.port}"}
    here = place.studio.folder
    if name == "oidc":
        site = {f"{HOST} {{": f"{HOST}:{place.port} {{"}
        stack.enter_context(
            caddy(replaced(block(f"set-up: {name}, caddy"), {**files, **ports, **site}), here, place.port)
        )
        return
    server = block("set-up: accounts, nginx")
    values = {**files, **ports, "listen 443": f"listen 127.0.0.1:{place.port}"}
    values["/var/log/nginx/access.log"] = str(here / "access.log")
    if name == "proxy":
        start = server.index("    location / {")
        end = server.index("    }\n", start) + len("    }\n")
        server = f"{server[:start]}{block('set-up: proxy, nginx')}\n{server[end:]}"
        doorman = free_port()
        values |= {"127.0.0.1:4180": f"127.0.0.1:{doorman}", '"…"': f'"{SECRET}"'}
        stack.enter_context(http_server(_let_in, doorman))
    stack.enter_context(nginx(replaced(server, values), here, place.port))


def _let_in(request: BaseHTTPRequestHandler) -> None:
    """Sign in by a header, as a stand-in for oauth2-proxy: it knows two people."""
    name = PROXY_USERS.get(request.headers.get("X-Test-Ticket", ""))
    request.send_response(202 if name else 401)
    if name:
        request.send_header("X-Auth-Request-User", name)
    request.send_header("Content-Length", "0")
    request.end_headers()


def _start_kling(stack: ExitStack, folder: Path, port: int) -> None:
    """Start a sandbox that knows the keys; they are in its environment only."""
    keys = {
        "SANDBOX_ACCESS_KEY": KEYS["KLINGAI_ACCESS_KEY"],
        "SANDBOX_SECRET_KEY": KEYS["KLINGAI_SECRET_KEY"],
    }
    command = [
        sys.executable,
        "-m",
        "kling.sandbox",
        "--port",
        str(port),
        "--clips",
        "tiny",
        "--pace",
        "seconds:1",
    ]
    log = folder / "kling.log"
    answers(port, stack.enter_context(running(command, log, cwd=ROOT, env={**os.environ, **keys})), log)


def _start_provider(stack: ExitStack, folder: Path, port: int) -> None:
    log = folder / "provider.log"
    people = [
        {"sub": name, "email": f"{name}@example.com", "email_verified": True, "name": name.title()}
        for name in ("ada", "bob")
    ]
    claims = [part for person in people for part in ("--user-claims", json.dumps(person))]
    command = [str(Path(sys.executable).with_name("oidc-provider-mock")), "--port", str(port), *claims]
    answers(port, stack.enter_context(running(command, log)), log)


def is_in(place: Place, visitor: Visitor, *, admin: bool) -> None:
    """Check that somebody may use pages and sockets, and nothing that is not theirs."""
    assert visitor.get(f"{place.base}/").status == 200
    with visitor.open_socket(f"{place.base}/_stcore/stream"), visitor.open_socket(f"{place.base}/live"):
        pass
    assert (visitor.get(f"{place.base}/metrics").status == 200) is admin
    sessions = [line for line in visitor.set_cookies if "studio_session=" in line]
    assert sessions
    assert all("Secure" in line and "HttpOnly" in line for line in visitor.set_cookies)


def is_out(place: Place, visitor: Visitor) -> None:
    """Check that nothing is served but the way to sign in; nothing of Streamlit's at all."""
    for path in ("/share/", "/sign-in/nothing", "/public/nothing.js"):
        answer = visitor.get(f"{place.base}{path}")
        assert answer.status in {401, 404}
        assert "Streamlit" not in answer.text
    for path in ("/clips/v1.mp4", f"/share/{SHARED}"):
        answer = visitor.get(f"{place.base}{path}")
        assert answer.status in {303, 401}
        assert answer.headers.get("Location", "/sign-in").startswith((f"{place.base}/sign-in", "/sign-in"))
    assert visitor.get(f"{place.base}/share/{SHARED}/v1.mp4").status in {401, 404}
    with pytest.raises(InvalidStatus), visitor.open_socket(f"{place.base}/_stcore/stream"):
        pass


def oidc_sign_in(place: Place, name: str) -> Visitor:
    """Go to the provider, say yes there, and come back."""
    visitor = place.visitor()
    answer = visitor.get("/sign-in/oidc")
    target = urlsplit(answer.headers["Location"])
    assert target.netloc == f"127.0.0.1:{place.provider}"
    provider = http.client.HTTPConnection("127.0.0.1", place.provider, timeout=PATIENCE)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    provider.request("POST", f"{target.path}?{target.query}", urlencode({"sub": name}), form)
    back = urlsplit(provider.getresponse().headers["Location"])
    provider.close()
    assert (back.scheme, back.netloc) == ("https", f"{HOST}:{place.port}")
    visitor.follow(f"{back.path}?{back.query}")
    return visitor


@needs_nginx
def test_named_accounts_behind_nginx(places):
    place = places["accounts"]
    stranger = place.visitor()
    is_out(place, stranger)
    assert "/sign-in?to=" in stranger.get("/").headers["Location"]
    (link,) = re.findall(r"https://\S+/sign-in/invitation/\S+", place.studio.printed)
    assert link.startswith(f"https://{HOST}:{place.port}/")
    invited = urlsplit(link).path
    ada = place.visitor()
    assert ada.get(invited).status == 200
    assert ada.post(invited, password=PASSWORD).status == 303
    is_in(place, ada, admin=True)
    again = place.visitor()
    assert again.post("/sign-in", name="ada", password="a wrong password").status == 401
    assert again.post("/sign-in", name="Ada", password=PASSWORD).status == 303
    is_in(place, again, admin=True)
    assert again.post("/sign-out").status == 303
    is_out(place, again)
    is_in(place, ada, admin=True)
    assert place.visitor().get(f"/sign-in?to=/share/{SHARED}").status == 200
    token = invited.rpartition("/")[2]
    for log in (place.studio.log, place.studio.folder / "access.log", place.studio.folder / "nginx.log"):
        written = log.read_text(errors="replace")
        assert token not in written, log
        assert SHARED not in written, log
        assert PASSWORD not in written, log
    assert "POST /sign-in" in (place.studio.folder / "access.log").read_text()


@needs_caddy
def test_a_provider_behind_caddy(places):
    place = places["oidc"]
    is_out(place, place.visitor())
    is_in(place, oidc_sign_in(place, "ada"), admin=True)
    is_in(place, oidc_sign_in(place, "bob"), admin=False)


@needs_nginx
def test_a_proxy_that_signs_people_in_below_a_path(places):
    place = places["proxy"]
    is_out(place, place.visitor())
    ada, mia = place.visitor(**{"X-Test-Ticket": "ada"}), place.visitor(**{"X-Test-Ticket": "mia"})
    is_in(place, ada, admin=True)
    is_in(place, mia, admin=False)
    liar = place.visitor(**{"X-Test-Ticket": "mia", "X-Forwarded-User": "ada", "X-Studio-Person": "ada"})
    is_in(place, liar, admin=False)
    past_the_proxy = http.client.HTTPConnection("127.0.0.1", place.studio.port, timeout=PATIENCE)
    past_the_proxy.request("GET", "/studio/", headers={"X-Forwarded-User": "ada", "Accept": "text/html"})
    assert past_the_proxy.getresponse().status in {303, 401, 403}
    past_the_proxy.close()


@needs_nginx
@needs_caddy
def test_no_secret_is_in_a_page_a_socket_a_log_an_export_a_traceback_or_the_process_list(
    places, monkeypatch, capsys
):
    place = places["proxy"]
    ada = place.visitor(**{"X-Test-Ticket": "ada"})
    assert ada.get("/studio/").status == 200
    with ada.open_socket("/studio/_stcore/stream") as stream, ada.open_socket("/studio/live"):
        ids = ada.run_page(stream, "")
        press = next(widget for label, widget in ids.items() if label.startswith("Generate"))
        ada.run_page(stream, "", **{ids["Prompt"]: "A canary sings"})
        ada.run_page(stream, "", **{ids["Prompt"]: "A canary sings", press: ""})
        for page in ("history", "gallery", "admin"):
            ada.run_page(stream, page)
    for path in ("/metrics", "/healthz", "/nowhere", "/clips/v1.mp4", "/sign-in", "/history?key=1"):
        ada.get(f"/studio{path}")
    callback = {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
    for headers in (callback, {"Authorization": "Bearer canary"}, {"X-Studio-Proxy-Secret": "canary"}):
        past = Visitor(place.port, place.pem, headers)
        past.post("/studio/callbacks", body="{}")
        past.get("/studio/metrics")
        ada.seen += past.seen
    for refused in (places["accounts"].visitor(), places["oidc"].visitor()):
        refused.post("/sign-in", name="ada", password="another password")
        refused.get("/sign-in/callback?code=1&state=2")
        refused.get("/sign-in/oidc")
        ada.seen += refused.seen
    said = [b"".join(ada.seen), *_command_line(place, monkeypatch, capsys), *_processes()]
    files = [file for each in places.values() for file in each.studio.folder.rglob("*") if file.is_file()]
    ours = {place.studio.folder / "nginx.conf"}  # the operator's own file, with the proxy's secret
    said += [file.read_bytes() for file in files if file not in ours]
    assert b"A canary sings" in (place.studio.folder / "data" / "history.csv").read_bytes()
    assert sum(b"A canary sings" in each for each in ada.seen) > 1
    for canary in CANARIES:
        forms = (canary.encode(), base64.b64encode(canary.encode())[:-3], quote(canary, safe="").encode())
        assert not [text[:200] for text in said if any(form in text for form in forms)], canary


def _command_line(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[bytes]:
    """Return what commands print, and a second studio that does not start, with the settings of the first."""
    studio = place.studio
    env = {
        **studio.environment,
        "STUDIO_DATA_DIR": str(studio.folder / "data"),
        "STUDIO_USER_HEADER": "X-User",
    }
    env |= {"STUDIO_PROXY_SECRET": SECRET, "STUDIO_OIDC_CLIENT_SECRET": CLIENT_SECRET}
    env |= {"STUDIO_OIDC_ISSUER": f"http://127.0.0.1:{free_port()}", "STUDIO_OIDC_CLIENT_ID": "studio"}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(free_port())]
    second = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    for arguments in (["doctor"], ["people", "list"], ["backup", str(studio.folder / "copy")]):
        main(arguments)
    main(["erase", "--person", "ada"])
    monkeypatch.setenv("KLINGAI_BASE_URL", "http://api.example.com")
    main(["doctor"])
    printed = capsys.readouterr()
    assert "sign-in provider" in printed.out
    assert "belongs to a studio that is running" in printed.err
    said = second.communicate(timeout=PATIENCE)[0]
    assert b"The studio does not start" in said
    return [printed.out.encode(), printed.err.encode(), said]


def _processes() -> list[bytes]:
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            lines.append((process / "cmdline").read_bytes())
    return lines


@needs_nginx
@needs_caddy
def test_browsers_are_told_to_use_tls_by_the_proxy_and_by_nothing_else(places):
    for place in places.values():
        headers = place.visitor(**{"X-Test-Ticket": "ada"}).get(f"{place.base}/").headers
        assert headers["Strict-Transport-Security"] == "max-age=31536000"
    sources = [*(ROOT / "pages").rglob("*.py"), *(ROOT / "kling").rglob("*.py"), ROOT / "app.py"]
    assert not [path for path in sources if "Strict-Transport" in path.read_text(encoding="utf-8")]


@needs_nginx
@pytest.mark.usefixtures("places")
def test_systemd_hears_that_the_pages_are_served_and_that_the_poller_turns(manager):
    assert {manager.recv(100), manager.recv(100)} == {b"READY=1", b"WATCHDOG=1"}


@needs_nginx
def test_what_a_studio_writes_is_for_its_user_only(places):
    data = places["accounts"].studio.folder / "data"
    assert [path for path in (data, *data.rglob("*")) if path.stat().st_mode & 0o077] == []


@needs_nginx
def test_the_health_check_of_the_container_file_works_where_the_studio_does(places):
    (check,) = re.findall(r"HEALTHCHECK .* CMD (\[.*\])", block("container"))
    python, *arguments = json.loads(check)
    assert python == "python"
    place = places["accounts"]
    for port, code in ((place.studio.port, 0), (free_port(), 1)):
        command = [argument.replace(":8501/", f":{port}/") for argument in arguments]
        done = subprocess.run([sys.executable, *command], capture_output=True, check=False)
        assert done.returncode == code


def test_what_the_container_file_copies_is_there():
    for line in block("container").splitlines():
        if line.startswith("COPY "):
            assert (ROOT / line.split()[1]).exists(), line


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_takes_the_unit_as_it_is_written(tmp_path):
    unit = tmp_path / "studio.service"
    values = {
        "/opt/studio/venv/bin/streamlit": shutil.which("true") or "/bin/true",
        "User=studio": "User=root",
    }
    unit.write_text(replaced(block("unit"), values) + "\n")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    said = [line for line in (done.stderr + done.stdout).splitlines() if "studio.service" in line]
    assert said == []
