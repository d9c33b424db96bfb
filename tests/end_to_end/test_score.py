"""Every route, over HTTP, on the built function in the Lambda runtime."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import httpx
import pytest

from scripts.local_cloud import LocalCloud
from scripts.sample_cloud import agree, examples, sample_models

pytestmark = pytest.mark.end_to_end

PROBLEM = "application/problem+json"
NDJSON = {"content-type": "application/x-ndjson"}
ADD_100 = {"input": "double", "output": "double", "action": {"+": ["input", 100]}}


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """The problem document of an error answer, after checking its form."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].partition(";")[0] == PROBLEM
    found = response.json()
    assert found["status"] == status
    assert found["title"]
    for word in ("Traceback", ".py", "titus", "site-packages", "/var/", "/tmp/", "Exception"):
        assert word not in response.text
    return dict(found)


@pytest.mark.parametrize("name", sample_models())
def test_sample_model_answers_as_its_source_library(
    client: httpx.Client, documents: dict[str, bytes], name: str
) -> None:
    cases = examples(documents[name])
    assert cases
    for case in cases:
        response = client.post(f"/models/{name}/score", json=case["input"])
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/json"
        assert agree(response.json(), case["expected"]), case


def test_sonar_refuses_by_name_every_band_that_is_missing_or_wrong(
    client: httpx.Client, documents: dict[str, bytes]
) -> None:
    case = examples(documents["sonar"])[0]
    bands = [f"/V{number}" for number in range(1, 61)]

    def pointers(record: Any) -> list[str]:
        found = problem(client.post("/models/sonar/score", json=record), 422)
        assert found["type"] == "urn:pfa-score:invalid-record"
        return [error["pointer"] for error in found["errors"]]

    assert pointers({}) == bands
    assert pointers({"V1": None}) == bands
    assert pointers({"V1": 1}) == bands[1:]
    assert pointers(case["input"] | {"V2": "0.1", "V60": True}) == ["/V2", "/V60"]
    assert pointers(case["input"] | {"V61": 0.1}) == ["/V61"]


def test_issue_examples_answer_exactly(client: httpx.Client) -> None:
    def answer(name: str, record: Any) -> str:
        return client.post(f"/models/{name}/score", json=record).text

    assert answer("hello", 3.14) == "103.14"
    credit = {
        "Status.of.existing.checking.account": "A11",
        "Duration.in.month": 20,
        "Credit.history": "A32",
        "Savings.account.bonds": "A65",
    }
    assert json.loads(answer("credit", credit)) == {"default.probability": 0.30575539568345322}
    assert json.loads(answer("real_estate", {"distance": 150})) == {"cost": 50.3}
    assert json.loads(answer("real_estate", {"distance": 1000})) == {"cost": 33.38}


def test_headers_say_which_model_answered(
    cloud: LocalCloud, client: httpx.Client, live: Callable[[Any], str]
) -> None:
    name = live(ADD_100)
    body = json.dumps({**ADD_100, "version": 2}).encode()
    version = cloud.put_model(name, body)
    origin = {"origin": "https://example.org"}
    headers = client.post(f"/models/{name}/score", json=1, headers=origin).headers
    assert headers["x-model-name"] == name
    assert headers["x-model-version"] == version
    assert headers["etag"] == f'"{sha256(body).hexdigest()}"'
    assert "x-model-stale" not in headers
    assert headers["access-control-allow-origin"] == "*"


def test_default_model(client: httpx.Client, documents: dict[str, bytes]) -> None:
    case = examples(documents["sonar"])[0]
    response = client.post("/score", json=case["input"])
    assert response.headers["x-model-name"] == "sonar"
    assert agree(response.json(), case["expected"])


def test_batch_keeps_order_and_one_bad_record_spoils_nothing(client: httpx.Client) -> None:
    records = [1, "two", 3, None, 5]
    for response in (
        client.post("/models/hello/batch", json=records),
        client.post(
            "/models/hello/batch", content="\n".join(map(json.dumps, records)), headers=NDJSON
        ),
    ):
        assert response.status_code == 200, response.text
        ndjson = response.headers["content-type"].startswith("application/x-ndjson")
        answers = (
            [json.loads(line) for line in response.text.splitlines()] if ndjson else response.json()
        )
        assert [answer.get("result") for answer in answers] == [101.0, None, 103.0, None, 105.0]
        assert [answer["error"]["status"] for answer in answers if "error" in answer] == [422, 422]


def test_batch_of_1000_records(client: httpx.Client) -> None:
    answers = client.post("/models/hello/batch", json=list(range(1000))).json()
    assert answers == [{"result": n + 100.0} for n in range(1000)]


def test_list_describe_and_health(client: httpx.Client, documents: dict[str, bytes]) -> None:
    listed = client.get("/models")
    assert listed.status_code == 200
    for name, document in documents.items():
        assert f'"{name}"' in listed.text
        response = client.get(f"/models/{name}")
        assert response.status_code == 200
        described = response.json()
        assert described["sha256"] == sha256(document).hexdigest()
        assert described["input"]["avro"] is not None
        assert described["input"]["jsonSchema"] is not None
        assert described["output"]["avro"] is not None
        assert described["engine"]
    assert client.get("/health").status_code == 200


EMIT = {
    "input": "int",
    "output": "string",
    "method": "emit",
    "action": [
        {"emit": {"string": "a"}},
        {"if": {">": ["input", 1]}, "then": {"emit": {"string": "b"}}},
    ],
}
FOLD = {
    "input": "double",
    "output": "double",
    "method": "fold",
    "zero": 10,
    "action": {"+": ["input", "tally"]},
    "merge": {"+": ["tallyOne", "tallyTwo"]},
}
COUNTER = {
    "input": "null",
    "output": "int",
    "cells": {"n": {"type": "int", "init": 0}},
    "begin": [{"cell": "n", "to": 40}],
    "action": {
        "cell": "n",
        "to": {
            "params": [{"old": "int"}],
            "ret": "int",
            "do": {"+": ["old", 1]},
        },
    },
}


def test_emit_and_fold(client: httpx.Client, live: Callable[[Any], str]) -> None:
    emit, fold = live(EMIT), live(FOLD)
    assert client.post(f"/models/{emit}/score", json=1).json() == ["a"]
    assert client.post(f"/models/{emit}/score", json=2).json() == ["a", "b"]
    assert client.post(f"/models/{fold}/score", json=5).json() == 15.0
    assert client.post(f"/models/{fold}/score", json=5).json() == 15.0
    batch = client.post(f"/models/{fold}/batch", json=[1, 2, 3]).json()
    assert [item["result"] for item in batch] == [11.0, 13.0, 16.0]


def test_state_lasts_for_one_request(client: httpx.Client, live: Callable[[Any], str]) -> None:
    name = live(COUNTER)
    for _ in range(3):
        assert client.post(f"/models/{name}/score", content="null").json() == 41
        batch = client.post(f"/models/{name}/batch", json=[None, None, None]).json()
        assert [item["result"] for item in batch] == [41, 42, 43]


def test_not_json_is_400(client: httpx.Client) -> None:
    for body in ("{", "", "3.14 4", b"\xff", "NaN", "[1, Infinity]"):
        response = client.post(
            "/models/hello/score", content=body, headers={"content-type": "application/json"}
        )
        assert response.status_code in (400, 422), body
        problem(response, response.status_code)
    response = client.post(
        "/models/hello/score", content="{", headers={"content-type": "application/json"}
    )
    problem(response, 400)


@pytest.mark.parametrize(
    "name", ["nothing", "%2e%2e%2fhello", "a%2Fb", "hello.pfa", "x" * 300, "%00", "%C3%BC"]
)
def test_unknown_model_is_404(client: httpx.Client, name: str) -> None:
    url = httpx.URL(f"{client.base_url}").copy_with(raw_path=f"/models/{name}/score".encode())
    problem(client.post(url, json=1), 404)
    url = url.copy_with(raw_path=f"/models/{name}".encode())
    problem(client.get(url), 404)


def test_unsupported_media_type_is_415(client: httpx.Client) -> None:
    headers = {"content-type": "application/xml"}
    problem(client.post("/models/hello/score", content="<a/>", headers=headers), 415)


PERSON = {
    "input": {
        "type": "record",
        "name": "Person",
        "fields": [
            {"name": "age", "type": "int"},
            {"name": "weight", "type": "double"},
            {"name": "sex", "type": {"type": "enum", "name": "Sex", "symbols": ["F", "M"]}},
            {"name": "note", "type": ["null", "string"], "default": None},
        ],
    },
    "output": "double",
    "action": {"/": ["input.weight", "input.age"]},
}


def test_wrong_record_is_422_and_names_every_field(
    client: httpx.Client, live: Callable[[Any], str]
) -> None:
    path = f"/models/{live(PERSON)}/score"
    record: dict[str, Any] = {"age": 20, "weight": 50, "sex": "F"}
    assert client.post(path, json=record).text == "2.5"
    record |= {"age": "secret-value", "sex": "secret-symbol", "a/b": 1}
    del record["weight"]
    response = client.post(path, json=record)
    found = problem(response, 422)
    assert "secret" not in response.text
    assert {error["pointer"] for error in found["errors"]} == {"/age", "/weight", "/sex", "/a~1b"}
    assert all(error["detail"] for error in found["errors"])


def test_error_of_the_document_is_422_with_its_code(
    client: httpx.Client, live: Callable[[Any], str]
) -> None:
    document = {
        "input": "double",
        "output": "double",
        "action": {
            "if": {"<": ["input", 2]},
            "then": {"error": "too small", "code": -17},
            "else": "input",
        },
    }
    found = problem(client.post(f"/models/{live(document)}/score", json=1), 422)
    assert found["code"] == -17
    assert client.post("/models/real_estate/score", json={"distance": 0}).status_code == 422


def test_answer_is_never_nan(client: httpx.Client, live: Callable[[Any], str]) -> None:
    name = live({"input": "double", "output": "double", "action": {"m.sqrt": "input"}})
    problem(client.post(f"/models/{name}/score", json=-1), 422)
    assert client.post(f"/models/{name}/score", json=4).text == "2.0"


def test_broken_document_is_503(client: httpx.Client, live: Callable[[Any], str]) -> None:
    for document in (b"{", b"", b"[]", {"input": "double"}, {**ADD_100, "action": "nowhere"}):
        problem(client.post(f"/models/{live(document)}/score", json=1), 503)


def test_body_over_the_limits_is_413(client: httpx.Client) -> None:
    assert client.post("/models/hello/score", content=b" " * 10_500_000).status_code == 413
    assert client.post("/models/hello/score", content=b" " * 6_400_000).status_code == 413
    assert client.post("/models/hello/score", json=1).text == "101.0"


def test_unknown_route_and_wrong_key_are_problems_of_the_gateway(client: httpx.Client) -> None:
    assert problem(client.get("/nothing"), client.get("/nothing").status_code)["status"] >= 403
    problem(client.get("/models", headers={"x-api-key": "wrong"}), 403)


def test_direct_invoke(cloud: LocalCloud, documents: dict[str, bytes]) -> None:
    case = examples(documents["sonar"])[0]

    def invoke(event: Any) -> Any:
        answer = cloud.invoke(json.dumps(event).encode())
        assert answer.error is None
        return json.loads(answer.payload)

    assert agree(invoke(case["input"]), case["expected"])
    assert invoke({"model": "hello", "record": 3.14}) == 103.14
    for event in ({"model": "hello", "record": "x"}, {"model": "nothing", "record": 1}, "x"):
        answer = invoke(event)
        assert answer["status"] in (404, 422)
        assert "stackTrace" not in answer


def test_40_requests_at_once(cloud: LocalCloud, client: httpx.Client) -> None:
    names = ["hello", "real_estate"]

    def score(number: int) -> Any:
        name = names[number % 2]
        record = number if name == "hello" else {"distance": 150}
        response = client.post(f"/models/{name}/score", json=record)
        assert response.headers["x-model-name"] == name
        return response.json()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(score, range(40)))
    assert answers == [n + 100.0 if n % 2 == 0 else {"cost": 50.3} for n in range(40)]


def test_log_holds_no_record(cloud: LocalCloud, client: httpx.Client) -> None:
    client.post("/models/hello/score", json="record-value-7319")
    client.post("/models/hello/batch", json=["record-value-7319"])
    client.get("/models/model-name-7319%0Aforged")
    assert "record-value-7319" not in cloud.pool.logs()
    assert "\nforged" not in cloud.pool.logs()
