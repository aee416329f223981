"""Whatever is sent, the answer is one of the contract's, and never one that says the sandbox failed."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kling.sandbox import contract
from kling.sandbox.contract import TEXT_TO_VIDEO
from kling.sandbox.engine import Request
from kling.sandbox.store import Store
from tests.sandbox.conftest import Bench

PROPERTIES = contract.OPENAPI["components"]["schemas"]["CreateTask"]["properties"]
SCHEMAS = contract.OPENAPI["components"]["schemas"]
QUICK = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

texts = st.text(max_size=40) | st.text(string.printable, max_size=40)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


def fitting(schema: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911 -- one a type
    """Return a strategy for values that fit a schema of the contract."""
    if "$ref" in schema:
        return fitting(SCHEMAS[schema["$ref"].rsplit("/", 1)[1]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "string" if "pattern" in schema:
            return st.sampled_from(["1", "2", "3", "5", "10", "15"])
        case "string":
            return st.text(max_size=schema.get("maxLength", 60)) | st.sampled_from(list(contract.MODELS))
        case "number":
            return st.floats(schema["minimum"], schema["maximum"]) | st.sampled_from([0, 1])
        case "integer":
            return st.integers(1, 6)
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(
                fitting(schema["items"]), min_size=schema["minItems"], max_size=schema["maxItems"]
            )
        case _:
            needed = schema.get("required", [])
            fields = {name: fitting(inner) for name, inner in schema["properties"].items()}
            return st.fixed_dictionaries(
                {name: fields[name] for name in needed},
                optional={name: field for name, field in fields.items() if name not in needed},
            )


task_requests: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "prompt": st.just("A fox") | fitting(PROPERTIES["prompt"]),
        "model_name": st.sampled_from(list(contract.MODELS)),
    },
    optional={
        name: fitting(schema) for name, schema in PROPERTIES.items() if name not in {"prompt", "model_name"}
    },
)
broken_task_requests = st.tuples(
    task_requests, st.dictionaries(st.sampled_from(list(PROPERTIES)) | texts, anything, max_size=3)
).map(lambda both: both[0] | both[1])


def run(calls: Iterable[Callable[[Bench], object]], **options: Any) -> None:
    store = Store()
    try:
        bench = Bench(store, concurrency=3, units=50, retired="serve", **options)
        for call in calls:
            call(bench)
    finally:
        store.close()


@QUICK
@given(
    bodies=st.lists(task_requests | broken_task_requests | anything, min_size=1, max_size=4),
    strict=st.booleans(),
)
@example(bodies=[{"prompt": "\ud800"}], strict=False)
def test_any_task_request_gets_an_answer_of_the_contract(bodies, strict):
    def post(body: Any) -> Callable[[Bench], object]:
        def call(bench):
            answer = bench.post(body)
            assert answer.body["code"] not in {1000, 1001, 1002, 1003, 1004, 1202} or "sandbox-" in str(body)
            assert answer.body["code"] < 5000 or "sandbox-" in str(body)
            bench.later(1)
            bench.draw()
            bench.page()

        return call

    run([post(body) for body in bodies], strict=strict)


@QUICK
@given(body=st.binary(max_size=200))
def test_any_bytes_get_an_answer_of_the_contract(body):
    run([lambda bench: bench.call("POST", TEXT_TO_VIDEO, body)])


@QUICK
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD"]) | texts,
    path=texts
    | st.text(max_size=30).map(lambda end: f"{TEXT_TO_VIDEO}/{end}")
    | st.just(TEXT_TO_VIDEO)
    | st.just("/account/costs"),
    query=st.dictionaries(
        st.sampled_from(["pageNum", "pageSize", "start_time", "end_time"]) | texts, texts, max_size=4
    ),
)
def test_any_request_gets_an_answer_of_the_contract(method, path, query):
    def call(bench):
        headers = {"authorization": bench.authorization}
        request = Request(method=method, path=path, query=query, headers=headers, body=b"{}")
        bench.checked(bench.engine.handle(request, bench.now), method, path)

    run([call])


@QUICK
@given(
    header=texts
    | texts.map(lambda token: f"Bearer {token}")
    | st.text(".eyJh", max_size=20).map(lambda t: f"Bearer {t}")
)
def test_any_authorization_gets_a_code_of_its_own(header):
    def call(bench):
        bench.authorization = header
        assert bench.call("GET", TEXT_TO_VIDEO).body["code"] in {1000, 1001, 1002}

    run([call])


@QUICK
@given(task_request=task_requests)
def test_what_fits_the_schemas_is_refused_by_a_rule_of_the_contract_only(task_request):
    starts = {rule.message.split("{")[0] for rule in contract.RULES.values() if rule.message}

    def call(bench):
        answer = bench.post(task_request)
        problem = answer.body["message"]
        assert answer.body["code"] == 0 or any(problem.startswith(start) for start in starts), json.dumps(
            task_request
        )

    run([call])
