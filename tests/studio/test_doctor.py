"""The doctor names what is wrong, and the remedy. Each set-up here is really broken in one way."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from kling.sandbox.auth import ACCESS_KEY, SECRET_KEY
from kling.studio.__main__ import main
from kling.studio.doctor.examine import examine
from kling.studio.doctor.finding import Finding
from kling.studio.doctor.outside import proxy
from kling.studio.folder import DataFolder
from kling.studio.identity.invitations import Invitations
from kling.studio.identity.people import People
from kling.studio.server_options import ServerOptions, last, write_down
from kling.studio.state.database import Database
from kling.studio.state.faults import FILE
from tests.studio import processes
from tests.studio.assistant.fake_model import fake_model, refuses

LOG = "history.csv"
PAIR = {"KLINGAI_ACCESS_KEY": "an-access-key", "KLINGAI_SECRET_KEY": "a-secret-key-of-32-bytes-at-least"}
PROXY_SECRET = "a-secret-of-the-proxy"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., list[Finding]]:
    """Look at a set-up on a free port; settings are given by name."""
    root = tmp_path / "root"
    (root / ".streamlit").mkdir(parents=True)
    (root / ".streamlit" / "config.toml").write_text(
        '[server]\naddress = "127.0.0.1"\n[browser]\nserverAddress = "localhost"\n'
    )

    def look(**settings: str) -> list[Finding]:
        env = {"STREAMLIT_SERVER_PORT": str(free_port()), "STUDIO_DATA_DIR": str(tmp_path / "data")}
        return list(examine(env | settings, root))

    return look


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def problems(findings: list[Finding]) -> list[str]:
    return [f"{each.about}: {each.what}. {each.remedy}" for each in findings if each.level == "problem"]


def only(findings: list[Finding]) -> str:
    (found,) = problems(findings)
    return found


@contextmanager
def server(answer: Callable[[str], Any], *, ahead: float = 0.0) -> Iterator[str]:
    """Serve JSON, with a clock that goes wrong; give the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            body = json.dumps(answer(f"http://{self.headers['Host']}")).encode()
            self.send_response_only(200)
            self.send_header("Date", formatdate(time.time() + ahead, usegmt=True))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as here:
        thread = Thread(target=here.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{here.server_port}"
        finally:
            here.shutdown()
            thread.join()


def kling(*videos: str) -> Callable[[str], Any]:
    """An account with one task, whose videos have these addresses."""
    result = {"videos": [{"id": "1", "url": url, "duration": "5"} for url in videos]}
    task = {"task_id": "7", "task_status": "succeed", "task_result": result, "external_task_id": "v7"}
    return lambda _: {"code": 0, "message": "SUCCEED", "request_id": "r", "data": [task] if videos else []}


# -- in order ----------------------------------------------------------------------------------------------


def test_a_fresh_set_up_has_no_problem(look):
    assert {finding.level for finding in look()} == {"ok"}


def test_a_set_up_with_an_account_has_no_problem(look, tmp_path):
    (tmp_path / "data").mkdir(mode=0o700)
    with processes.sandbox() as url:
        keys = {"KLINGAI_ACCESS_KEY": ACCESS_KEY, "KLINGAI_SECRET_KEY": SECRET_KEY}
        found = look(KLINGAI_BASE_URL=url, **keys)
        assert problems(found) == []
        assert "its videos can be fetched" in found[-1].what
        wrong = look(KLINGAI_BASE_URL=url, **PAIR)
        assert only(wrong).startswith("Kling: ")
        assert "check the key" in only(wrong)


def test_it_changes_nothing(look, tmp_path):
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / LOG).write_text("external_task_id,time,state,extra\n")
    look()
    assert [path.name for path in (tmp_path / "data").iterdir()] == [LOG]


# -- twenty broken set-ups ---------------------------------------------------------------------------------


def test_a_setting_that_cannot_be_meant(look):
    found = only(look(KLINGAI_API_KEY="k", KLINGAI_BASE_URL="http://api.example.com"))
    assert "KLINGAI_BASE_URL is plain http" in found
    assert "use https://" in found


def test_a_file_of_settings_that_cannot_be_read(look, tmp_path):
    (tmp_path / "root" / ".streamlit" / "secrets.toml").write_text("[kling]\nKLINGAI_API_KEY = key-of-mine\n")
    found = only(look())
    assert "put every value in quotes" in found
    assert "key-of-mine" not in found


def test_a_file_of_settings_that_others_can_read(look, tmp_path):
    secrets = tmp_path / "root" / ".streamlit" / "secrets.toml"
    secrets.write_text("[kling]\n")
    secrets.chmod(0o644)
    assert f"chmod 600 {secrets}" in only(look())
    secrets.chmod(0o600)
    assert problems(look()) == []


def test_a_data_folder_that_is_a_file(look, tmp_path):
    (tmp_path / "data").write_text("")
    assert "data is a file. set STUDIO_DATA_DIR to a folder" in only(look())


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mount a small file system at the data folder."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("a small disk needs root, on Linux")
    data = tmp_path / "data"
    data.mkdir(mode=0o700)

    def mount(*options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", ",".join(("mode=700", *options)), "tmpfs", str(data)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        return data

    yield mount
    subprocess.run(["umount", "-l", str(data)], check=False, capture_output=True)


def test_a_data_folder_that_cannot_be_written(look, mounted):
    mounted("size=600m", "ro")
    assert "cannot be written by" in only(look())
    assert "set STUDIO_DATA_DIR to another folder" in only(look())


def test_a_disk_that_is_full(look, mounted):
    mounted("size=2m")
    assert only(look()).startswith("disk: 2 MB are free")
    assert "make room" in only(look())


def test_a_data_folder_that_others_can_look_into(look):
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # the test's own folder lies where nobody else can go
    try:
        folder.chmod(0o755)
        warnings = [finding for finding in look(STUDIO_DATA_DIR=str(folder)) if finding.level == "warning"]
        assert [finding.remedy for finding in warnings] == [f"chmod 700 {folder}"]
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"external_task_id;time;state;extra\n", "separated by semicolons"),
        ("external_task_id,time,state,extra\n".encode("utf-16"), "saved as UTF-16"),
        (b"a,b\n1,2\n", "is not a log of this studio"),
    ],
)
def test_a_log_that_was_saved_in_another_form(look, tmp_path, content, said):
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / LOG).write_bytes(content)
    assert said in only(look())


def test_a_log_that_is_gone_although_its_seal_is_there(look, tmp_path):
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / f"{LOG}.seal").write_text("")
    assert "put it back from a backup" in only(look())


@pytest.mark.parametrize("is_new", [False, True], ids=["gone", "made anew"])
def test_a_database_whose_limits_are_gone(look, tmp_path, is_new):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "holdings.json").write_text('{"limits": 2, "accounts": 1}', encoding="utf-8")
    if is_new:
        Database(folder / "studio.sqlite3").close()
    said = only(look())
    assert "held 2 limits of budgets and 1 account" in said
    assert "put a backup" in said


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"x" * 5000])
def test_a_database_that_is_damaged(look, tmp_path, content):
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / FILE).write_bytes(content)
    assert only(look()).startswith("database: ")
    assert "backup" in only(look())


def test_a_clock_that_is_wrong(look):
    with server(kling(), ahead=-600) as url:
        found = only(look(KLINGAI_BASE_URL=url, **PAIR))
    assert "s ahead of Kling's" in found
    assert "timedatectl set-ntp true" in found


def test_a_clock_that_is_a_little_behind_matters_to_nothing_that_is_signed(look):
    with server(kling(), ahead=60) as url:
        found = look(KLINGAI_BASE_URL=url, **PAIR)
    assert problems(found) == []
    assert [finding.about for finding in found if finding.level == "warning"] == ["clock"]


def test_kling_that_is_not_reached(look):
    found = only(look(KLINGAI_BASE_URL=f"http://127.0.0.1:{free_port()}", **PAIR))
    assert "does not answer. let this machine reach it, by the firewall or by HTTPS_PROXY" in found


def test_a_name_that_nobody_knows(look):
    found = only(look(KLINGAI_BASE_URL="https://api.invalid", **PAIR))
    assert "the name api.invalid is not known here" in found


def test_a_proxy_that_does_not_answer(look, monkeypatch):
    monkeypatch.setenv("https_proxy", f"http://user:a-password@127.0.0.1:{free_port()}")
    found = look(KLINGAI_BASE_URL="https://api.example.com", **PAIR)
    assert "does not lead to api.example.com. correct HTTPS_PROXY" in only(found)
    assert "a-password" not in str(found)


def test_a_proxy_that_is_asked_for_this_machine(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy.corp:3128")
    (found,) = proxy("http://127.0.0.1:8000")
    assert found.remedy == "add 127.0.0.1 and localhost to NO_PROXY"


def test_files_that_lie_on_a_host_that_is_not_reached(look):
    with server(kling(f"https://127.0.0.2:{free_port()}/1.mp4")) as url:
        found = only(look(KLINGAI_BASE_URL=url, **PAIR))
    assert found.startswith("file host: ")
    assert "STUDIO_VIDEO_HOSTS" in found


def test_a_port_that_another_program_has(look):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        found = only(look(STREAMLIT_SERVER_PORT=str(other.getsockname()[1])))
    assert "in use by another program. give --server.port another number" in found


def test_an_address_that_this_machine_does_not_have(look):
    found = problems(
        look(
            STREAMLIT_SERVER_ADDRESS="192.0.2.1",
            STUDIO_USER_HEADER="X-User",
            STUDIO_PROXY_SECRET=PROXY_SECRET,
        )
    )
    assert any("set server.address to an address of this machine" in each for each in found)


def test_a_server_that_others_reach_and_nobody_signs_in_to(look):
    found = only(look(STREAMLIT_SERVER_ADDRESS="0.0.0.0"))
    assert "Others can reach it" in found
    assert "STUDIO_USER_HEADER" in found
    assert "people add" in found


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        (
            {
                "STUDIO_USER_HEADER": "X-User",
                "STUDIO_PROXY_SECRET": "short",
                "STUDIO_ROLES_HEADER": "X-Groups",
                "STUDIO_ROLE_ADMIN": "bosses",
            },
            ["STUDIO_PROXY_SECRET is too short"],
        ),
        ({"STUDIO_PUBLIC_URL": "studio", "STUDIO_CALLBACKS": "on"}, ["STUDIO_PUBLIC_URL is not an address"]),
        ({"STUDIO_CURRENCY": "$", "STUDIO_UNIT_PRICE": "x"}, ["STUDIO_CURRENCY is", "STUDIO_UNIT_PRICE is"]),
        ({"STUDIO_LOG": "x", "STUDIO_LOG_PROMPTS": "x"}, ["STUDIO_LOG is", "STUDIO_LOG_PROMPTS is"]),
    ],
)
def test_what_is_wrong_only_without_a_refused_setting_is_no_fault_of_its_own(look, settings, wrong):
    found = [each.removeprefix("settings: ") for each in problems(look(**settings))]
    assert len(found) == len(wrong)
    assert all(each.startswith(words) for each, words in zip(found, wrong, strict=True))


def test_a_set_up_without_an_admin(look):
    found = only(look(STUDIO_USER_HEADER="X-User", STUDIO_PROXY_SECRET=PROXY_SECRET))
    assert "nobody is an admin" in found
    assert "STUDIO_ADMINS" in found


def test_a_studio_whose_only_admin_cannot_sign_in(look, tmp_path):
    days = 24 * 3600.0
    then = time.time() - 4 * days
    (tmp_path / "data").mkdir()
    database = Database(tmp_path / "data" / FILE)
    people = People(database, lambda: then)
    ivy = people.add("Ivy Doe", "admin")
    links = Invitations(database, people, lambda: then)
    links.make(ivy.id, "command line")
    found = only(look())
    assert "no admin can sign in: Ivy Doe" in found
    assert "people invite 'Ivy Doe'`" in found
    people.from_outside("oidc", "bob", "Bob", "admin")  # of a provider that is not asked any more
    assert "no admin can sign in: Bob, Ivy Doe" in only(look())
    then += 2 * days
    links.make(ivy.id, "command line")
    assert problems(look()) == []
    database.close()
    assert any("by 1 account; admins: 2" in finding.what for finding in look())


OIDC = {
    "STUDIO_OIDC_CLIENT_ID": "studio",
    "STUDIO_OIDC_CLIENT_SECRET": "a-secret-of-the-provider",
    "STUDIO_PUBLIC_URL": "http://localhost:8501",
    "STUDIO_ADMINS": "ada",
}


def test_a_provider_that_is_not_reached(look):
    found = only(look(STUDIO_OIDC_ISSUER=f"http://127.0.0.1:{free_port()}", **OIDC))
    assert found.startswith("sign-in provider: ")
    assert "set STUDIO_OIDC_ISSUER to the provider's address" in found
    assert "a-secret-of-the-provider" not in found


def test_a_provider_that_calls_itself_otherwise(look):
    with server(lambda _: {"issuer": "https://login.example.com/realm"}) as url:
        found = only(look(STUDIO_OIDC_ISSUER=url, **OIDC))
    assert "set STUDIO_OIDC_ISSUER to https://login.example.com/realm" in found
    with server(lambda here: {"issuer": here}) as url:
        assert problems(look(STUDIO_OIDC_ISSUER=url, **OIDC)) == []


def test_an_address_for_people_without_tls(look):
    found = look(
        STUDIO_PUBLIC_URL="http://studio.corp",
        STUDIO_USER_HEADER="X-User",
        STUDIO_ADMINS="ada",
        STUDIO_PROXY_SECRET=PROXY_SECRET,
    )
    assert ["plain http" in finding.what for finding in found if finding.level == "warning"] == [True]


# -- the command -------------------------------------------------------------------------------------------


# -- the prompt assistant ----------------------------------------------------------------------------------


def assistant_of(look: Callable[..., list[Finding]], url: str, **more: str) -> Finding:
    found = look(STUDIO_LLM_URL=f"{url}/v1", STUDIO_LLM_MODEL="model-1", **more)[-1]
    assert found.about == "prompt assistant"
    return found


def test_a_server_of_the_assistant_that_has_the_model_or_another(look):
    with server(lambda _: {"data": [{"id": "model-1"}, {"id": "model-2"}]}) as url:
        assert assistant_of(look, url).level == "ok"
    with server(lambda _: {"data": [{"id": "model-2"}, {"id": "evil\n"}]}) as url:
        other = assistant_of(look, url)
    assert other.level == "warning"
    assert other.remedy == "set STUDIO_LLM_MODEL to one that it has, such as model-2"
    with server(lambda _: [1]) as url:
        assert "check STUDIO_LLM_MODEL" in assistant_of(look, url).remedy


@pytest.mark.parametrize(
    ("status", "level", "words"),
    [
        (401, "problem", "does not accept the key"),
        (308, "problem", "sends elsewhere"),
        (404, "warning", "does not list its models"),
    ],
)
def test_a_server_of_the_assistant_that_refuses(look, status, level, words):
    with fake_model(refuses(status, Location="http://127.0.0.1:9/")) as model:
        found = assistant_of(look, model.url.removesuffix("/v1"), STUDIO_LLM_KEY="sk-1")
    assert (found.level, words in found.what) == (level, True)
    assert model.asked[0].headers["Authorization"] == "Bearer sk-1"
    assert model.asked[0].path == "/v1/models"
    assert len(model.asked) == 1


def test_a_server_of_the_assistant_that_is_not_reached(look):
    found = assistant_of(look, f"http://127.0.0.1:{free_port()}")
    assert (found.level, "does not answer" in found.what) == ("problem", True)


def test_the_exit_code_says_whether_there_is_a_problem(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", str(free_port()))
    monkeypatch.setenv("STUDIO_DATA_DIR", str(tmp_path / "data"))
    assert main(["doctor"]) == 0
    assert "No problem was found." in capsys.readouterr().out
    (tmp_path / "data").write_text("")
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "PROBLEM data folder: " in said
    assert "set STUDIO_DATA_DIR to a folder." in said


def test_every_setting_that_cannot_be_used_is_named_at_once(look):
    found = problems(look(STUDIO_TIMEZONE="Mars/Base", STUDIO_UNIT_PRICE="free", STUDIO_DEFAULT_ROLE="boss"))
    assert len(found) == 3
    for name in ("STUDIO_TIMEZONE", "STUDIO_UNIT_PRICE", "STUDIO_DEFAULT_ROLE"):
        assert name in " ".join(found)


COMMAND_LINE = ServerOptions(address="127.0.0.1", port=9123, base="/studio", called=("studio.example",))


def test_options_of_the_command_line_are_those_that_the_running_studio_wrote_down(look, tmp_path):
    folder = DataFolder(tmp_path / "data")
    write_down(folder.path, COMMAND_LINE)
    said = {each.about: each.what for each in look()}
    assert said["server"].endswith("127.0.0.1, port 9123, below /studio, also called studio.example")
    assert "port 9123" in said["port"]
    folder.release()


def test_options_that_only_the_last_start_had_are_said(look, tmp_path):
    folder = DataFolder(tmp_path / "data")
    write_down(folder.path, COMMAND_LINE)
    folder.release()
    (found,) = (each for each in look() if each.about == "server")
    assert (found.level, "below /studio" in found.what) == ("warning", True)
    assert "config.toml" in found.remedy


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"address": 1, "port": "x", "base": null}', "[" * 9000]
)
def test_a_note_of_the_last_start_that_cannot_be_used_says_nothing(look, tmp_path, text):
    folder = DataFolder(tmp_path / "data")
    (folder.path / "server.json").write_text(text, encoding="utf-8")
    assert "server" not in {each.about for each in look()}
    folder.release()
    assert last(folder.path) is None


def test_a_misspelled_setting_is_named_with_the_one_that_was_meant(look):
    found = [each for each in look(STUDIO_DATADIR="/srv/x", KLINGAI_APIKEY="x") if each.level == "warning"]
    words = " ".join(f"{each.what} {each.remedy}" for each in found)
    assert "STUDIO_DATADIR is no setting" in words
    assert "STUDIO_DATA_DIR?" in words
    assert "KLINGAI_API_KEY?" in words


def test_a_misspelled_setting_in_the_file_is_named_too(look, tmp_path):
    file = tmp_path / "root" / ".streamlit" / "secrets.toml"
    file.write_text('[kling]\nSTUDIO_DATADIR = "x"\n', encoding="utf-8")
    file.chmod(0o600)
    assert any("STUDIO_DATADIR is no setting" in each.what for each in look())
