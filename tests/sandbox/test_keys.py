"""Several keys: of the same account, rotated, and of another account."""

from __future__ import annotations

import jwt
import pytest

from kling.sandbox.auth import API_KEY, Keys
from kling.sandbox.contract import TEXT_TO_VIDEO
from kling.sandbox.store import Store
from tests.sandbox.conftest import Bench

OLD = Keys(access_key="old", secret_key="an-old-secret-key-of-32-bytes-and-more", api_key="")
NEW = Keys(access_key="new", secret_key="a-new-secret-key-of-32-bytes-and-more!", api_key="")
PLAIN = Keys(access_key="", secret_key="", api_key="api-key-kling-new")


def bearer(keys: Keys, now: float) -> str:
    if keys.api_key:
        return f"Bearer {keys.api_key}"
    return f"Bearer {jwt.encode({'iss': keys.access_key, 'exp': now + 1800}, keys.secret_key, 'HS256')}"


def codes(bench, *given: Keys) -> list[int]:
    found = []
    for keys in given:
        bench.authorization = bearer(keys, bench.now)
        found.append(bench.call("GET", TEXT_TO_VIDEO).body["code"])
    return found


@pytest.mark.parity("keys-of-one-account")
def test_all_keys_of_an_account_see_the_same_tasks_and_share_its_slots(bench):
    bench.change(keys=OLD, more_keys=(NEW, PLAIN), concurrency=1)
    bench.authorization = bearer(OLD, bench.now)
    task_id = bench.create(external_task_id="mine")["task_id"]
    for keys in (NEW, PLAIN):
        bench.authorization = bearer(keys, bench.now)
        assert bench.task("mine")["task_id"] == task_id
        assert bench.refused()["code"] == 1303
        assert bench.refused(external_task_id="mine")["code"] == 1201


def test_a_key_is_rotated_while_it_runs(bench):
    bench.change(keys=OLD)
    assert codes(bench, OLD, NEW, PLAIN) == [0, 1002, 1002]
    bench.change(keys=NEW, more_keys=(OLD,))
    assert codes(bench, OLD, NEW) == [0, 0]
    bench.change(more_keys=())
    assert codes(bench, OLD, NEW) == [1002, 0]


def test_a_rotated_secret_of_the_same_access_key(bench):
    rotated = Keys(access_key="old", secret_key=NEW.secret_key, api_key="")
    bench.change(keys=rotated, more_keys=(OLD,))
    assert codes(bench, OLD, rotated) == [0, 0]
    bench.change(more_keys=())
    assert codes(bench, OLD, rotated) == [1000, 0]


def test_another_account_sees_its_own_tasks_only(bench):
    store = Store()
    other = Bench(store, keys=NEW)
    other.authorization = bearer(NEW, other.now)
    bench.create(external_task_id="mine")
    assert other.page() == []
    other.create(external_task_id="mine")
    assert other.task("mine")["task_id"] == other.page()[0]["task_id"]
    bench.authorization = bearer(NEW, bench.now)
    assert bench.call("GET", TEXT_TO_VIDEO).body["code"] == 1002
    other.authorization = f"Bearer {API_KEY}"
    assert other.call("GET", TEXT_TO_VIDEO).body["code"] == 1002
    store.close()
