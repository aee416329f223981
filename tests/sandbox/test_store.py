"""What survives: tasks and their fates, over restarts."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from kling.sandbox.store import Store
from tests.sandbox.conftest import base64_of, picture


@pytest.fixture
def reopen(tmp_path, bench):
    """Return a bench on a store in a file; each call opens it anew, as after a restart."""
    stores: list[Store] = []

    def reopen():
        for store in stores:
            store.close()
        stores.append(Store(str(tmp_path / "sandbox.sqlite")))
        again = type(bench)(stores[-1])
        again.now = bench.now
        return again

    yield reopen
    for store in stores:
        store.close()


def test_tasks_survive_a_restart_and_go_on(reopen):
    first = reopen()
    done = first.create(external_task_id="done")["task_id"]
    first.finish()
    running = first.create(external_task_id="running")["task_id"]
    before = first.task(done)

    second = reopen()
    second.now = first.now
    assert second.task("done") == before
    assert second.engine.store.undrawn().task_id == running
    assert second.engine.store.in_flight == {"kling-v2-6": 1}
    second.finish()
    assert second.task("running")["task_status"] == "succeed"
    assert second.refused(external_task_id="done")["code"] == 1201
    assert second.create()["task_id"] not in {done, running}
    assert len(second.page()) == 3


def test_the_clock_stays_advanced(reopen):
    first = reopen()
    first.engine.advance(5000)
    assert reopen().engine.clock(first.now) == int(first.now * 1000) + 5000


def test_the_file_of_an_earlier_version_is_taken_over(tmp_path, bench):
    path = str(tmp_path / "sandbox.sqlite")
    store = Store(path)
    old = type(bench)(store)
    task_ids = [old.create(external_task_id=name)["task_id"] for name in ("first", "second")]
    old.finish()
    old.create(external_task_id="running")
    store.close()
    with closing(sqlite3.connect(path)) as file:  # as it was before tasks could be hidden or share an id
        file.execute("DROP INDEX awaiting_callbacks")
        file.execute("ALTER TABLE tasks RENAME COLUMN last_callback_status TO told")
        columns = [row[1] for row in file.execute("PRAGMA table_info(tasks)") if row[1] != "shown_at"]
        file.execute(f"CREATE TABLE before AS SELECT {', '.join(columns)} FROM tasks")
        file.execute("DROP TABLE tasks")
        file.execute("ALTER TABLE before RENAME TO tasks")
        file.execute("CREATE UNIQUE INDEX once ON tasks (external_task_id)")
        file.commit()

    store = Store(path)
    new = type(bench)(store)
    new.now = old.now
    assert [task["task_id"] for task in new.page()][1:] == task_ids[::-1]
    assert new.task("first")["task_status"] == "succeed"
    assert store.in_flight == {"kling-v2-6": 1}
    new.change(duplicates="accept")
    new.create(external_task_id="first")
    assert new.task("first")["task_id"] == task_ids[0]
    store.close()


def test_the_callbacks_of_an_earlier_version_go_on_where_they_stopped(tmp_path, bench):
    path = str(tmp_path / "sandbox.sqlite")
    store = Store(path)
    old = type(bench)(store)
    url = {"callback_url": "http://127.0.0.1/"}
    done, running = (old.create(external_task_id=name, **url)["task_id"] for name in ("done", "running"))
    old.create()
    store.mark_callback(done, "succeed")
    store.mark_callback(running, "processing")
    store.close()
    with closing(sqlite3.connect(path)) as file:  # as it was when this column had another name
        file.execute("DROP INDEX awaiting_callbacks")
        file.execute("ALTER TABLE tasks RENAME COLUMN last_callback_status TO told")
        file.execute("CREATE INDEX untold ON tasks (seq) WHERE told NOT IN ('succeed', 'failed')")
        file.commit()

    for _ in range(2):  # the second start finds a file that is up to date
        store = Store(path)
        assert [task.task_id for task in store.awaiting_callbacks()] == [running]
        last = {task.external_task_id: task.last_callback_status for task in store.page(1, 9)}
        assert last == {"done": "succeed", "running": "processing", None: None}
        store.close()


def test_the_tasks_of_a_version_with_one_endpoint_keep_their_places(tmp_path, bench):
    path = str(tmp_path / "sandbox.sqlite")
    store = Store(path)
    old = type(bench)(store)
    task_ids = [old.create()["task_id"] for _ in range(3)]
    store.close()
    with closing(sqlite3.connect(path)) as file:  # as it was when text2video was the only endpoint
        file.execute("DROP INDEX listed")
        file.execute("DROP TABLE pictures")
        for column in ("endpoint", "position"):
            file.execute(f"ALTER TABLE tasks DROP COLUMN {column}")
        file.commit()

    for _ in range(2):
        store = Store(path)
        new = type(bench)(store)
        task_ids.append(new.create()["task_id"])
        assert [task["task_id"] for task in new.page()] == task_ids[::-1]
        assert [task["task_id"] for task in new.page(pageNum="2", pageSize="1")] == [task_ids[-2]]
        store.close()


def test_pictures_survive_a_restart(reopen):
    image = base64_of(picture())
    body = {"model_name": "kling-v3", "prompt": "Snow", "image": image}
    task_id = reopen().made("/v1/videos/image2video", body)["task_id"]
    store = reopen().engine.store
    assert list(store.pictures(task_id).values()) == [picture()]
    store.clear()
    assert store.pictures(task_id) == {}


def test_a_second_sandbox_cannot_use_the_same_file(tmp_path):
    store = Store(str(tmp_path / "sandbox.sqlite"))
    with pytest.raises(sqlite3.OperationalError):
        Store(str(tmp_path / "sandbox.sqlite"))
    store.close()


def test_a_task_that_cannot_be_drawn_fails(bench):
    task_id = bench.create()["task_id"]
    bench.engine.store.mark_failed(
        task_id, "The sandbox could not draw this clip", bench.engine.clock(bench.now)
    )
    bench.later(5)
    assert bench.task(task_id)["task_status"] == "failed"
    assert "draw" in bench.task(task_id)["task_status_msg"]


def test_those_in_work_are_not_drawn_twice(bench):
    first, second = bench.create()["task_id"], bench.create()["task_id"]
    store = bench.engine.store
    assert store.undrawn().task_id == first
    assert store.undrawn(frozenset({first})).task_id == second
    assert store.undrawn(frozenset({first, second})) is None


def test_reset_forgets_everything(bench):
    task_id = bench.create(external_task_id="mine")["task_id"]
    bench.engine.advance(10**9)
    bench.plan(code=5000)
    bench.engine.reset(bench.now)
    assert bench.page() == []
    assert bench.engine.clock(bench.now) == int(bench.now * 1000)
    assert not bench.engine.store.mark_ready(task_id, 0)
    bench.create(external_task_id="mine")
