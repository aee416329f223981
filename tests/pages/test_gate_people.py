"""A real server with named accounts: whose Streamlit's sessions are, and what a page sees of a sign-out."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from kling.studio.identity.watch import PAUSE
from tests.e2e.team import sign_in, state_of
from tests.pages.test_gate_server import free_port, running

MAKER, ADMIN, VIEWER = "Mia Maker", "Ada Lovelace", "Vera Viewer"


@dataclass
class Team:
    port: int
    data: Path
    cookies: Mapping[str, str]

    def page(self, name: str, session: str = "") -> ClientConnection:
        """Open Streamlit's socket as somebody, with the id of a session to go on with."""
        return connect(
            f"ws://localhost:{self.port}/_stcore/stream",
            origin=Origin(f"http://localhost:{self.port}"),
            subprotocols=[Subprotocol(each) for each in ("streamlit", "none", session) if each],
            additional_headers={"Cookie": f"studio_session={self.cookies[name]}"},
            close_timeout=1,
            max_size=None,
        )


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    data = tmp_path_factory.mktemp("studio")
    cookies = {name: str(found[0]["value"]) for name, found in sign_in(data).items()}
    here = Team(free_port(), data, cookies)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(here.port)]
    with running(command, here.port, data / "log"):
        yield here


def session_of(page: ClientConnection) -> str:
    """Run the page, and return the id of its session."""
    page.send(BackMsg(rerun_script=ClientState()).SerializeToString())
    while True:
        message = ForwardMsg()
        data = page.recv(timeout=120)
        assert isinstance(data, bytes)
        message.ParseFromString(data)
        if message.WhichOneof("type") == "new_session":
            return message.new_session.initialize.session_id


def test_nobody_goes_on_with_another_persons_session(team: Team):
    with team.page(MAKER) as page:
        hers = session_of(page)
    with team.page(ADMIN, hers) as page:
        assert session_of(page) != hers
    with team.page(VIEWER, hers) as page:
        assert session_of(page) != hers
    with team.page(MAKER, hers) as page:
        assert session_of(page) == hers


def test_an_open_page_is_cut_off_within_a_second_when_another_process_ends_its_session(team: Team):
    with team.page(VIEWER) as page, team.page(MAKER) as other:
        session_of(page)
        session_of(other)
        with state_of(team.data) as state:
            person = state.people.by_name(VIEWER)
            assert person is not None
            state.sessions.end_all(person.id)
        with pytest.raises(ConnectionClosed):  # noqa: PT012 - whatever was under way arrives first
            while True:
                page.recv(timeout=120)
        assert PAUSE < 1  # between two looks for what another process has changed, in seconds
        assert page.close_code == 1008
        assert session_of(other)
