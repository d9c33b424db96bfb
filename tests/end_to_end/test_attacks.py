"""Documents and records that attack: nothing they hold runs, and others are still answered."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.local_cloud import LocalCloud
from tests.end_to_end.conftest import NO_TTL, http_client

pytestmark = pytest.mark.end_to_end

BASE = {"input": "double", "output": "double", "action": {"+": ["input", 100]}}
ARRAY = {"type": "array", "items": "int"}


def code_in_name(path: Path) -> dict[str, Any]:
    code = f"open({str(path)!r}, 'w').close()"
    return {**BASE, "name": f"X(PFAEngine):\n    {code}\nclass PFA_Y"}


def quote_in_schema(path: Path) -> dict[str, Any]:
    code = f"' + str(open({str(path)!r}, 'w')) + '"
    record = {
        "type": "record",
        "name": "R",
        "doc": code,
        "fields": [{"name": "x", "type": "double", "doc": code}],
    }
    return {
        "input": ["null", record],
        "output": "double",
        "action": {"ifnotnull": {"r": "input"}, "then": "r.x", "else": 0.0},
    }


def quote_in_enum(path: Path) -> dict[str, Any]:
    code = f"A' + str(open({str(path)!r}, 'w')) + '"
    enum = {"type": "enum", "name": "E", "symbols": ["A", code]}
    return {
        "input": ["null", enum],
        "output": "int",
        "action": {"ifnotnull": {"e": "input"}, "then": 1, "else": 0},
    }


def code_in_begin(path: Path) -> dict[str, Any]:
    document = quote_in_schema(path)
    record = document["input"][1]
    return {
        **BASE,
        "cells": {"c": {"type": ["null", record], "init": None}},
        "begin": [{"ifnotnull": {"r": {"cell": "c"}}, "then": "r.x", "else": 0.0}],
    }


CODE = [code_in_name, quote_in_schema, quote_in_enum, code_in_begin]


@pytest.mark.parametrize("make", CODE)
def test_no_document_runs_code(
    client: httpx.Client, live: Callable[[Any], str], tmp_path: Path, make: Callable[..., Any]
) -> None:
    trace = tmp_path / "executed"
    name = live(make(trace))
    statuses = {client.post(f"/models/{name}/score", content="null").status_code for _ in range(2)}
    assert not trace.exists()
    assert statuses <= {200, 422, 503}
    assert client.post("/models/hello/score", json=1).text == "101.0"


def test_code_in_the_name_is_refused(
    client: httpx.Client, live: Callable[[Any], str], tmp_path: Path
) -> None:
    response = client.post(f"/models/{live(code_in_name(tmp_path / 'x'))}/score", json=1)
    assert response.status_code == 503
    assert "PFAEngine" not in response.text


@pytest.mark.parametrize("source", ["json", "avro"])
@pytest.mark.parametrize("kind", ["cells", "pools"])
def test_document_reads_no_file_and_no_url(
    cloud: LocalCloud,
    client: httpx.Client,
    live: Callable[[Any], str],
    tmp_path: Path,
    source: str,
    kind: str,
) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text('"secret-7319"')
    for place in (str(secret), secret.as_uri(), f"{cloud.s3.url}/{cloud.bucket}", "/dev/zero"):
        text = {"type": "string", "init": place, "source": source}
        document = {"input": "null", "output": "string", kind: {"c": text}}
        action: dict[str, Any] = {"cell": "c"} if kind == "cells" else {"string": "x"}
        response = client.post(
            f"/models/{live({**document, 'action': action})}/score", content="null"
        )
        assert response.status_code == 503
        assert "secret" not in response.text


def call(function: str, *arguments: Any, output: Any = "int") -> dict[str, Any]:
    return {"input": "string", "output": output, "action": {function: ["input", *arguments]}}


NESTED = "((a{1,200}){1,200}){1,200}"
CRASHES = [
    (call("re.index", {"string": NESTED}, output={"type": "array", "items": "int"}), "aaa"),
    (call("re.index", {"string": "(" * 200_000}, output=ARRAY), "aaa"),
    (call("re.count", {"string": "x*"}), "yyy"),
    (call("re.contains", {"string": r"\(a*\)*\1\1\1\1b"}, output="boolean"), "a" * 200),
    (call("re.contains", {"string": "a|" * 1_000_000}, output="boolean"), "b"),
]


@pytest.fixture(scope="module")
def hasty(artefact: Path, documents: dict[str, bytes]) -> Iterator[LocalCloud]:
    """A cloud whose function has 3 s for a request."""
    overrides = {**NO_TTL, "AWS_LAMBDA_FUNCTION_TIMEOUT": "3"}
    with LocalCloud(artefact, emulators=1, overrides=overrides) as cloud:
        cloud.put_model("hello", documents["hello"])
        yield cloud


@pytest.fixture(scope="module")
def hasty_client(hasty: LocalCloud) -> Iterator[httpx.Client]:
    with http_client(hasty) as client:
        for _ in range(5):  # a cold start on a busy machine may take longer than 3 s
            if client.post("/models/hello/score", json=1).status_code == 200:
                break
        yield client


def put(cloud: LocalCloud, document: Any) -> str:
    name = f"attack-{time.monotonic_ns()}"
    cloud.put_model(name, json.dumps(document).encode())
    return name


@pytest.mark.parametrize(("document", "record"), CRASHES)
def test_pattern_kills_no_process_and_does_not_spin(
    hasty: LocalCloud, hasty_client: httpx.Client, document: Any, record: Any
) -> None:
    hasty_client.post("/models/hello/score", json=1)
    starts = hasty.pool.logs().count("INIT START")
    response = hasty_client.post(f"/models/{put(hasty, document)}/score", json=record)
    assert response.status_code in (200, 422, 503), response.text
    assert hasty.pool.logs().count("INIT START") == starts  # the same process goes on
    assert hasty_client.post("/models/hello/score", json=1).text == "101.0"


def test_pattern_from_a_record_kills_no_process(
    hasty: LocalCloud, hasty_client: httpx.Client
) -> None:
    document = {
        "input": "string",
        "output": "boolean",
        "action": {"re.contains": [{"string": "aaa"}, "input"]},
    }
    name = put(hasty, document)
    assert hasty_client.post(f"/models/{name}/score", json="a").text == "true"
    starts = hasty.pool.logs().count("INIT START")
    for pattern in (NESTED, "(" * 200_000):
        assert hasty_client.post(f"/models/{name}/score", json=pattern).status_code == 422
    assert hasty.pool.logs().count("INIT START") == starts


ENDLESS = {"while": True, "do": [{"+": [1, 1]}]}
FIBONACCI = {
    "params": [{"n": "int"}],
    "ret": "int",
    "do": {
        "if": {"<": ["n", 2]},
        "then": "n",
        "else": {"+": [{"u.fib": {"-": ["n", 1]}}, {"u.fib": {"-": ["n", 2]}}]},
    },
}
SLOW: list[dict[str, Any]] = [
    {"input": "double", "output": "double", "action": [ENDLESS, "input"]},
    {
        "input": "double",
        "output": "double",
        "action": {"try": {"do": [ENDLESS, "input"]}},
    }
    | {"output": ["double", "null"]},
    {"input": "double", "output": "double", "begin": ENDLESS, "action": "input"},
    {
        "input": "double",
        "output": "int",
        "action": {"u.fib": 40},
        "fcns": {"fib": FIBONACCI},
    },
    {"input": "double", "output": "double", "action": {"prob.dist.poissonQF": [0.5, 1e9]}},
]


@pytest.mark.parametrize("number", range(len(SLOW)))
def test_model_that_does_not_end_is_504_from_the_function(
    hasty: LocalCloud, hasty_client: httpx.Client, number: int
) -> None:
    assert hasty_client.post("/models/hello/score", json=1).text == "101.0"
    starts = hasty.pool.logs().count("INIT START")
    response = hasty_client.post(f"/models/{put(hasty, SLOW[number])}/score", json=1)
    assert response.status_code == 504, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == 504
    assert hasty.pool.logs().count("INIT START") == starts
    assert hasty_client.post("/models/hello/score", json=1).text == "101.0"


RECURSION = {
    **BASE,
    "action": {"u.f": "input"},
    "fcns": {"f": {"params": [{"x": "double"}], "ret": "double", "do": {"u.f": "x"}}},
}


def test_endless_recursion_is_an_error(client: httpx.Client, live: Callable[[Any], str]) -> None:
    response = client.post(f"/models/{live(RECURSION)}/score", json=1)
    assert response.status_code in (422, 503), response.text
    assert "Traceback" not in response.text
    assert client.post("/models/hello/score", json=1).text == "101.0"


def test_document_writes_nothing_into_the_log(
    cloud: LocalCloud, client: httpx.Client, live: Callable[[Any], str]
) -> None:
    document = {
        "input": "string",
        "output": "string",
        "action": [{"log": ["input"], "namespace": "x\nforged-line"}, "input"],
    }
    response = client.post(f"/models/{live(document)}/score", json="record-in-log\nforged-line")
    assert response.status_code in (200, 503)
    assert "record-in-log" not in cloud.pool.logs()
    assert "\nforged-line" not in cloud.pool.logs()


def layered_calls(layers: int) -> dict[str, Any]:
    """Functions that call the next layer twice: the audit's call graph, 4 times a second layer."""
    functions: dict[str, Any] = {}
    for layer in range(layers):
        body: Any = {"+": [{f"u.f{layer + 1}": ["x"]}, {f"u.g{layer + 1}": ["x"]}]}
        for letter in "fg":
            functions[f"{letter}{layer}"] = {
                "params": [{"x": "double"}],
                "ret": "double",
                "do": body,
            }
    for letter in "fg":
        functions[f"{letter}{layers}"] = {"params": [{"x": "double"}], "ret": "double", "do": "x"}
    return {
        **BASE,
        "cells": {"c": {"type": "double", "init": 0}},
        "fcns": functions,
        "action": {"cell": "c", "to": {"fcn": "u.f0"}},
    }


@pytest.mark.parametrize(
    "document",
    [
        {**BASE, "fcns": {"a" + ".bccccccccc" * 12 + "!": FIBONACCI}},
        layered_calls(40),
    ],
    ids=["function name", "call graph"],
)
def test_load_does_not_hang(
    hasty: LocalCloud, hasty_client: httpx.Client, document: dict[str, Any]
) -> None:
    start = time.monotonic()
    response = hasty_client.post(f"/models/{put(hasty, document)}/score", json=1)
    assert response.status_code in (200, 422, 503, 504), response.text
    assert time.monotonic() - start < 30
    assert hasty_client.post("/models/hello/score", json=1).text == "101.0"


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_deep_json_is_refused(client: httpx.Client, depth: int) -> None:
    body = "[" * depth + "]" * depth
    response = client.post(
        "/models/hello/score", content=body, headers={"content-type": "application/json"}
    )
    assert response.status_code in (400, 422)
    assert client.post("/models/hello/score", json=1).text == "101.0"


@pytest.mark.parametrize("number", ["1" + "0" * 400, "1" * 5000, "1e999", "-1e999"])
def test_number_out_of_range_is_refused(client: httpx.Client, number: str) -> None:
    response = client.post(
        "/models/hello/score", content=number, headers={"content-type": "application/json"}
    )
    assert response.status_code in (400, 422)
    assert number not in response.text


DOUBLING = {
    "input": "int",
    "output": "int",
    "action": [
        {"let": {"x": {"new": ["input"], "type": ARRAY}}},
        {
            "for": {"i": 0},
            "while": {"<": ["i", 29]},
            "step": {"i": {"+": ["i", 1]}},
            "do": {"set": {"x": {"a.concat": ["x", "x"]}}},
        },
        {"a.len": "x"},
    ],
}
MANY_FIELDS = [{"name": f"f{i}", "type": "int", "default": i} for i in range(1000)]
SWELLING = {
    **BASE,
    "cells": {
        "c": {
            "type": {
                "type": "array",
                "items": {"type": "record", "name": "R", "fields": MANY_FIELDS},
            },
            "init": [{}] * 50_000,
        }
    },
}


@pytest.fixture(scope="module")
def small(artefact: Path, documents: dict[str, bytes]) -> Iterator[LocalCloud]:
    """A cloud whose function has 512 MB of memory."""
    overrides = {**NO_TTL, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"}
    with LocalCloud(artefact, emulators=1, overrides=overrides) as cloud:
        cloud.put_model("hello", documents["hello"])
        yield cloud


@pytest.mark.parametrize(
    ("document", "status", "detail"),
    [
        (DOUBLING, 422, "The model's computation needs more memory than it may have."),
        (SWELLING, 503, "The live document of this model cannot be loaded."),
    ],
    ids=["record", "document"],
)
def test_memory_runs_out_for_one_model_only(
    small: LocalCloud, document: dict[str, Any], status: int, detail: str
) -> None:
    with http_client(small) as client:
        assert client.post("/models/hello/score", json=1).text == "101.0"
        starts = small.pool.logs().count("INIT START")
        name = put(small, document)
        for _ in range(2):
            response = client.post(f"/models/{name}/score", json=1)
            assert (response.status_code, response.json()["detail"]) == (status, detail)
            assert client.post("/models/hello/score", json=1).text == "101.0"
        assert small.pool.logs().count("INIT START") == starts  # the same process goes on
    lines = [line for line in small.pool.logs().splitlines() if name in line]
    loads = sum("document is broken" in line for line in lines)
    assert loads == (1 if status == 503 else 0), lines
