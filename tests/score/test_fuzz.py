"""Whatever comes in, the handler answers: never an exception, never a 500."""

import base64
import contextlib
import io
import json
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from score import app, store
from score.packaged import Folder
from tests.score.conftest import Context, event

MODELS = Path(__file__).parents[2] / "models"
NAMES = ["hello", "sonar", "credit", "real_estate", "nope", "..", "", "a b", "é", "x\n"]
TYPES = ["application/json", "application/x-ndjson", "text/plain", "application/x+json", ";=;"]

surrogates = st.text(st.characters(), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | surrogates
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(surrogates | st.sampled_from(["double", "distance"]), inner, max_size=4)
    ),
    max_leaves=12,
)
json_texts = values.map(json.dumps)
near_json = st.text(
    st.sampled_from('[]{},:"\\0123456789.eE+-truefalsnN Infiy\n\t\x00'), max_size=40
)
bodies = st.none() | json_texts | near_json | surrogates | st.lists(json_texts).map("\n".join)
paths = (
    st.sampled_from(["/score", "/models", "/health", "/", "", "//", "/models/hello"])
    | st.builds("/models/{}/{}".format, st.sampled_from(NAMES), st.sampled_from(["score", "batch"]))
    | surrogates
)
headers = st.none() | st.dictionaries(
    st.sampled_from(["Content-Type", "content-encoding", "Origin", "If-None-Match", "Accept"])
    | st.text(string.printable, max_size=10),
    st.sampled_from(TYPES) | surrogates,
    max_size=4,
)
queries = st.none() | st.dictionaries(st.sampled_from(["limit", "after", "x"]), surrogates)
methods = st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "get", "x\n", ""])


@pytest.fixture(autouse=True, scope="module")
def _packaged() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "STORE", store.ModelStore(Folder(MODELS)))
        patch.setattr(app, "DEFAULT_MODEL", "hello")
        yield


def invoke(given: Any) -> Any:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        answer = app.handler(given, Context())
    assert all(json.loads(line) for line in printed.getvalue().splitlines())
    json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()  # as the runtime sends it
    return answer


fuzz = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@fuzz
@given(methods, paths, bodies, headers, queries, st.booleans())
def test_any_http_request(
    method: str,
    path: str,
    body: str | None,
    headers: dict[str, str] | None,
    query: dict[str, str] | None,
    is_base64: bool,
) -> None:
    if is_base64 and body:
        body = base64.b64encode(body.encode("utf-8", "surrogatepass")).decode()
    answer = invoke(event(method, path, body, headers, query, is_base64))
    assert answer["statusCode"] in (200, 204, 304, 400, 404, 413, 415, 422)
    for name, (value,) in answer["multiValueHeaders"].items():
        assert (name + value).isprintable()
        assert (name + value).isascii()
    if answer["statusCode"] >= 400:
        assert json.loads(answer["body"])["status"] == answer["statusCode"]


@fuzz
@given(st.sampled_from(["hello", "sonar", "credit", "real_estate"]), st.lists(values, max_size=5))
def test_any_batch(name: str, records: list[Any]) -> None:
    answer = invoke(event("POST", f"/models/{name}/batch", json.dumps(records)))
    assert answer["statusCode"] == 200
    rows = json.loads(answer["body"], parse_constant=pytest.fail)
    assert len(rows) == len(records)
    assert all(row.keys() in ({"result"}, {"error"}) for row in rows)
    # 400: the same key twice, when json.dumps made two keys one
    assert all(row["error"]["status"] in (400, 422) for row in rows if "error" in row)


@fuzz
@given(values | st.fixed_dictionaries({"model": values, "record": values}))
def test_any_direct_invocation(record: Any) -> None:
    answer = invoke(record)
    if isinstance(answer, dict):
        assert answer["status"] in (404, 422)
    else:
        assert isinstance(answer, float)
