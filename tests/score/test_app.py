import base64
import json
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import pfa
from bucket import BucketError, MissingError
from score import absent, problems, store, wire
from score.store import ModelStore
from tests.score.conftest import Client, Clock, Context, CountingBucket, adder, event

ROOT = Path(__file__).parents[2]
JSON = "application/json"
NDJSON = "application/x-ndjson"
PROBLEM = "application/problem+json"
INSTANCE = f"urn:uuid:{Context.aws_request_id}"

LONG = b'"%s"' % (b"x" * 7_000_000)
PERSON = {
    "type": "record",
    "name": "Person",
    "fields": [{"name": "age", "type": "int"}, {"name": "name", "type": "string"}],
}


def document(action: Any, given: Any = "double", gives: Any = "double", **more: Any) -> bytes:
    return json.dumps({"input": given, "output": gives, "action": action, **more}).encode()


def put(s3: CountingBucket, name: str = "hello", body: bytes | None = None) -> str:
    return s3.put(name, body or (ROOT / f"models/{name}.pfa").read_bytes())


def expect(answer: Any, status: int, kind: str, title: str, detail: str, **more: Any) -> None:
    assert (answer.status, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.json == {
        "type": f"urn:pfa-score:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": INSTANCE,
        **more,
    }


# --- one record


def test_the_body_is_the_output_and_nothing_else(call: Client, s3: CountingBucket) -> None:
    version = put(s3)
    sha256 = pfa.load((ROOT / "models/hello.pfa").read_bytes()).sha256
    for path in ("/models/hello/score", "/score", "/score/"):
        answer = call("POST", path, "3.14")
        assert answer.text == "103.14"
        assert answer.status == 200
        assert answer.headers == {
            "content-type": JSON,
            "x-model-name": "hello",
            "x-model-version": version,
            "etag": f'"{sha256}"',
        }


@pytest.mark.parametrize("name", ["hello", "sonar", "credit", "real_estate"])
def test_the_sample_models_give_their_examples_answers(
    call: Client, s3: CountingBucket, name: str
) -> None:
    put(s3, name)
    examples = json.loads(
        json.loads((ROOT / f"models/{name}.pfa").read_text())["metadata"]["examples"]
    )
    example = examples[0]
    answer = call.score(json.dumps(example["input"]), name)
    expected = example["expected"]
    assert answer.json == (expected if isinstance(expected, str) else pytest.approx(expected))


@pytest.mark.parametrize(
    "media",
    [
        None,
        "",
        JSON,
        "Application/JSON; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/vnd.x+json",
    ],
)
def test_json_types_are_taken(call: Client, s3: CountingBucket, media: str | None) -> None:
    put(s3)
    headers = {} if media is None else {"content-TYPE": media}
    assert call.score("3.14", **headers).text == "103.14"


def test_a_base64_body_and_a_byte_order_mark_are_taken(call: Client, s3: CountingBucket) -> None:
    put(s3)
    body = base64.b64encode(b"\xef\xbb\xbf 3.14\n").decode()
    assert call("POST", "/score", body, is_base64=True).text == "103.14"
    assert call("POST", "/score", "\ufeff3.14").text == "103.14"


def test_text_goes_out_as_ascii_json(call: Client, s3: CountingBucket) -> None:
    put(s3, body=document("input", "string", "string"))
    answer = call.score('"é \\u2028 \U0001f600 \\u0000 \\""')
    assert answer.text.isascii()
    assert answer.json == 'é \u2028 \U0001f600 \x00 "'


def test_emit_and_fold_give_a_list_and_a_tally(call: Client, s3: CountingBucket) -> None:
    emit = {"method": "emit", "action": [{"emit": "input"}, {"emit": {"+": ["input", 1]}}]}
    fold = {"method": "fold", "zero": 5.0, "merge": {"+": ["tallyOne", "tallyTwo"]}}
    put(
        s3,
        body=json.dumps({"input": "double", "output": "double", **emit}).encode(),
    )
    assert call.score("1").text == "[1.0,2.0]"
    put(s3, "fold", document({"+": ["input", "tally"]}, **fold))
    assert call.score("1", "fold").text == "6.0"
    assert call.score("1", "fold").text == "6.0"  # each request begins anew


# --- batches


def test_a_batch_keeps_order_and_each_record_its_error(call: Client, s3: CountingBucket) -> None:
    version = put(s3)
    answer = call.batch('[1, "x", 2, null]')
    assert answer.headers["content-type"] == JSON
    assert answer.headers["x-model-version"] == version
    rows = answer.json
    assert [row.get("result") for row in rows] == [101.0, None, 102.0, None]
    assert rows[1] == {
        "error": {
            "type": "urn:pfa-score:invalid-record",
            "title": "The record does not fit the model's input",
            "status": 422,
            "detail": rows[1]["error"]["detail"],
            "instance": f"{INSTANCE}#1",
            "errors": [{"pointer": "", "detail": "expected double"}],
        }
    }
    assert rows[3]["error"]["instance"] == f"{INSTANCE}#3"
    assert call.metrics["ScoredRecords"] == 2
    assert call.metrics["RefusedRecords"] == 2


@pytest.mark.parametrize(
    "media", [NDJSON, "application/x-ndjson; charset=utf-8", "application/jsonl"]
)
def test_a_batch_of_lines_gives_lines(call: Client, s3: CountingBucket, media: str) -> None:
    put(s3)
    answer = call.batch('1\r\n\n{"a":\n \t\n[2]\n2', **{"Content-Type": media})
    assert answer.headers["content-type"] == NDJSON
    assert answer.text.endswith("\n")
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row.get("result") for row in rows] == [101.0, None, None, 102.0]
    assert [row["error"]["status"] for row in rows if "error" in row] == [400, 422]
    assert rows[1]["error"]["type"] == "urn:pfa-score:not-json"


@pytest.mark.parametrize("count", [99, 100, 101, 250])
def test_a_batch_of_many(call: Client, s3: CountingBucket, count: int) -> None:
    put(s3)
    records: list[Any] = [*range(count - 1), "x"]
    rows = call.batch(json.dumps(records)).json
    assert [row.get("result") for row in rows] == [*(each + 100.0 for each in records[:-1]), None]
    lines = call.batch("\n".join(map(json.dumps, records)), **{"Content-Type": NDJSON}).text
    again = [json.loads(line) for line in lines.splitlines()]
    assert again[:-1] == rows[:-1]
    assert again[-1]["error"]["errors"] == rows[-1]["error"]["errors"]


UNUSABLE = {
    '{"a": 1, "a": "],["}': 'The key "a" is in one object twice.',
    '[{"b\\"": {}, "b\\"": {}}]': 'The key "b\\"" is in one object twice.',
    "9" * 4301: "A number has too many digits.",
    "[" * 100_000 + "]" * 100_000: "The JSON is nested too deep.",
}


@pytest.mark.parametrize("bad", UNUSABLE, ids=lambda bad: repr(bad[:10]))
def test_a_record_that_cannot_be_read_spoils_no_other(
    call: Client, s3: CountingBucket, bad: str
) -> None:
    put(s3)
    for body, headers in (
        (f' [1,{bad} , "x,]", 2, [ ]]\n', {}),
        (f'1\n{bad}\n"x,]"\n2\n[ ]\n', {"Content-Type": NDJSON}),
    ):
        answer = call.batch(body, **headers)
        text = answer.text if not headers else f"[{','.join(answer.text.splitlines())}]"
        rows = json.loads(text)
        assert [row.get("result") for row in rows] == [101.0, None, None, 102.0, None]
        assert [row["error"]["status"] for row in rows if "error" in row] == [400, 422, 422]
        assert rows[1]["error"]["detail"] == UNUSABLE[bad]
        assert rows[1]["error"]["instance"] == f"{INSTANCE}#1"


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "]]",
        "]}",
        "}",
        "] 1",
        ",]",
        ", nope]",
        ", 1 2]",
        ', {"b": [}]',
        ', "]',
        ", []",
        ", {]}]",
    ],
)
def test_a_batch_that_is_no_array_at_all(call: Client, s3: CountingBucket, rest: str) -> None:
    put(s3)
    answer = call.batch('[1, {"a": 1, "a": 2}' + rest)
    assert (answer.status, answer.json["type"]) == (400, "urn:pfa-score:not-json")


def test_one_object_is_no_batch_even_if_it_is_unusable(call: Client, s3: CountingBucket) -> None:
    put(s3)
    answer = call.batch('{"a": 1, "a": 2}')
    assert (answer.status, answer.json["detail"]) == (400, 'The key "a" is in one object twice.')


def test_empty_batches(call: Client, s3: CountingBucket) -> None:
    put(s3)
    assert call.batch("[]").text == "[]"
    assert call.batch("\n\n", **{"Content-Type": NDJSON}).text == ""


def test_a_batch_of_one_record_that_is_no_array(call: Client, s3: CountingBucket) -> None:
    put(s3)
    expect(
        call.batch("1"), 400, "not-json", "The body is not valid JSON",
        "A batch is a JSON array of records.",
    )  # fmt: skip


def test_state_lasts_for_a_batch_and_no_longer(call: Client, s3: CountingBucket) -> None:
    counter = {
        "input": "int",
        "output": "int",
        "cells": {"n": {"type": "int", "init": 0}},
        "action": {
            "cell": "n",
            "to": {"params": [{"x": "int"}], "ret": "int", "do": {"+": ["x", 1]}},
        },
    }
    put(s3, body=json.dumps({**counter, "action": [counter["action"], {"cell": "n"}]}).encode())
    for _ in range(2):
        assert call.batch("[0, 0, 0]").text == '[{"result":1},{"result":2},{"result":3}]'
        assert call.score("0").text == "1"


# --- the other routes


def test_models_are_listed_in_pages(call: Client, s3: CountingBucket) -> None:
    versions = {name: put(s3, name) for name in ("credit", "hello", "sonar")}
    page = call("GET", "/models").json
    assert [item["name"] for item in page["models"]] == ["credit", "hello", "sonar"]
    assert {item["name"]: item["version"] for item in page["models"]} == versions
    assert page["default"] == "hello"
    assert "next" not in page
    hello = page["models"][1]
    assert hello["size"] == (ROOT / "models/hello.pfa").stat().st_size
    assert datetime.fromisoformat(hello["modified"]).utcoffset() is not None
    first = call("GET", "/models", query={"limit": "2"}).json
    assert [item["name"] for item in first["models"]] == ["credit", "hello"]
    second = call("GET", "/models", query={"limit": "2", "after": first["next"]}).json
    assert [item["name"] for item in second["models"]] == ["sonar"]
    assert "next" not in second


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "101"}, {"limit": "-1"}, {"limit": "1e1"}, {"limit": "١"}]
)
def test_a_wrong_limit(call: Client, s3: CountingBucket, query: dict[str, str]) -> None:
    expect(
        call("GET", "/models", query=query), 400, "bad-query", "A query parameter is wrong",
        "limit must be a number from 1 to 100.",
    )  # fmt: skip


def test_a_wrong_after(call: Client, s3: CountingBucket) -> None:
    expect(
        call("GET", "/models", query={"after": "../x"}), 400, "bad-query",
        "A query parameter is wrong", "after must be the name of a model.",
    )  # fmt: skip


def test_a_model_is_described(call: Client, s3: CountingBucket) -> None:
    version = put(s3)
    answer = call("GET", "/models/hello")
    described = answer.json
    body = (ROOT / "models/hello.pfa").read_bytes()
    model = pfa.load(body)
    assert described["name"] == "hello"
    assert described["version"] == version
    assert described["sha256"] == model.sha256
    assert described["stale"] is False
    assert datetime.fromisoformat(described["loaded"]).utcoffset() is not None
    assert described["document"] == {"name": model.name, "version": model.version}
    assert described["input"]["avro"] == "double"
    assert described["output"]["jsonSchema"]["type"] == "number"
    assert described["engine"].startswith("titus2")
    assert "examples" not in described["metadata"]


def test_a_description_that_is_known_is_not_sent_again(call: Client, s3: CountingBucket) -> None:
    put(s3)
    etag = call("GET", "/models/hello").headers["etag"]
    for known in (etag, f"W/{etag}", f'"x", {etag}', f'W/"x,",{etag}, "y"', "*", " * "):
        answer = call("GET", "/models/hello", headers={"if-none-match": known})
        assert (answer.status, answer.text) == (304, "")
        assert answer.headers["etag"] == etag
        assert "content-type" not in answer.headers
    for other in ('"x"', "", etag.strip('"'), "**", f'"{etag}', f'"*", "x{etag[1:]}'):
        answer = call("GET", "/models/hello", headers={"if-none-match": other})
        assert answer.status == 200, other


def test_health_says_whether_the_default_model_answers(
    call: Client, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect(
        call("GET", "/health"), 503, "unavailable", "The model cannot be loaded now",
        "There is no live default model.",
    )  # fmt: skip
    clock.now += absent.REMEMBER_SECONDS
    version = put(s3)
    assert call("GET", "/health").json == {
        "status": "ok", "model": "hello", "version": version, "stale": False,
    }  # fmt: skip
    monkeypatch.setattr(call.app, "DEFAULT_MODEL", "")
    assert call("GET", "/health").json == {"status": "ok", "model": None}
    assert call("POST", "/score", "1").status == 404


# --- the error contract

NOT_JSON = {
    "": "The body is empty.",
    "{": "Not JSON: Expecting property name enclosed in double quotes (line 1, column 2).",
    "1 2": "Not JSON: Extra data (line 1, column 3).",
    " ": "Not JSON: Expecting value (line 1, column 2).",
    "\x00": "Not JSON: Expecting value (line 1, column 1).",
    '{"a": 1,\n "a": 2}': 'The key "a" is in one object twice.',
    "[" * 200_000: "The JSON is nested too deep.",
    '{"a":' * 200_000: "The JSON is nested too deep.",
    "1" * 4301: "A number has too many digits.",
    '"\n"': "Not JSON: Invalid control character at (line 1, column 2).",
}


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: repr(body[:10]))
def test_400_not_json(call: Client, s3: CountingBucket, body: str) -> None:
    version = put(s3)
    answer = call.score(body)
    expect(answer, 400, "not-json", "The body is not valid JSON", NOT_JSON[body])
    assert answer.headers["x-model-version"] == version


def test_400_no_body_no_base64_no_utf8(call: Client, s3: CountingBucket) -> None:
    put(s3)
    title = "The body is not valid JSON"
    expect(call("POST", "/score"), 400, "not-json", title, "The body is empty.")
    bad = call("POST", "/score", "***", is_base64=True)
    expect(bad, 400, "not-json", title, "The body is not valid base64.")
    bad = call("POST", "/score", base64.b64encode(b'"\xff"').decode(), is_base64=True)
    expect(bad, 400, "not-json", title, "The body is not UTF-8 (byte 1).")


def test_404_unknown_model(call: Client, s3: CountingBucket) -> None:
    title, detail = "There is no such model", "There is no such model."
    expect(call.score("1", "nope"), 404, "unknown-model", title, detail)
    expect(call.batch("[1]", "nope"), 404, "unknown-model", title, detail)
    expect(call("GET", "/models/nope"), 404, "unknown-model", title, detail)
    assert set(s3.asked) == {"nope"}
    for name in ("..", "a.b", "%2e%2e", "a b", "ñ", "a" * 65, "-", "{x}", "$(x)"):
        expect(call.score("1", name), 404, "unknown-model", title, detail)
    assert set(s3.asked) == {"nope"}  # what cannot be a name never reaches S3


def test_404_no_route(call: Client) -> None:
    for path in ("/", "/nope", "/models/a/b/score", "/models/a/b/c", "/scores", "//score"):
        expect(
            call("POST", path, "1"), 404, "no-route", "There is nothing at this path",
            "There is nothing at this path.",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/score"),
        ("DELETE", "/models/hello"),
        ("PUT", "/models"),
        ("get", "/models/hello/batch"),
        ("HEAD", "/health"),
    ],
)
def test_404_a_route_without_this_method(call: Client, method: str, path: str) -> None:
    answer = call(method, path)
    assert (answer.status, answer.json["type"]) == (404, "urn:pfa-score:no-route")


def test_413_body_records_and_answer(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3, body=document("input", "string", "string"))
    title = "The request or its answer is too large"
    monkeypatch.setattr(call.app, "MAX_BODY_BYTES", 20)
    assert call.score('"' + "é" * 9 + '"').status == 200  # 20 bytes
    too_large = "The body is larger than 20 bytes."
    expect(call.score('"' + "é" * 9 + 'x"'), 413, "too-large", title, too_large)
    raw = base64.b64encode(b'"' + b"x" * 19 + b'"').decode()
    expect(call("POST", "/score", raw, is_base64=True), 413, "too-large", title, too_large)
    raw = base64.b64encode(b'"' + b"x" * 18 + b'"').decode()
    assert call("POST", "/score", raw, is_base64=True).status == 200
    monkeypatch.undo()


def test_413_too_many_records(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3)
    monkeypatch.setattr(call.app, "MAX_BATCH_RECORDS", 2)
    title, detail = "The request or its answer is too large", "A batch has at most 2 records."
    assert call.batch("[1,2]").status == 200
    expect(call.batch("[1,2,3]"), 413, "too-large", title, detail)
    expect(call.batch("1\n2\n3\n", **{"Content-Type": NDJSON}), 413, "too-large", title, detail)
    twice = '{"a":1,"a":2}'
    assert call.batch(f"[1,{twice}]").status == 200
    expect(call.batch(f"[1,2,{twice}]"), 413, "too-large", title, detail)


def test_413_an_answer_that_lambda_would_not_let_out(call: Client, s3: CountingBucket) -> None:
    double = {"s.concat": ["input", "input"]}
    put(s3, body=document(double, "string", "string"))
    assert call.score(json.dumps("x" * 3_000_000)).status == 200
    for text in ("x" * 3_200_000, '"' * 1_100_000, "\u2028" * 450_000):
        body = json.dumps(text)
        expect(
            call.score(body), 413, "too-large", "The request or its answer is too large",
            "The answer is larger than 6 MB.",
        )  # fmt: skip
        direct = call.invoke(json.loads(body))
        assert (isinstance(direct, str)) == (text != "x" * 3_200_000)
    batch = json.dumps(["x" * 1_000_000] * 4)
    expect(
        call.batch(batch), 413, "too-large", "The request or its answer is too large",
        "The answer is larger than 6 MB: send fewer records.",
    )  # fmt: skip


@pytest.mark.parametrize("part", [{"doc": "x"}, {"metadata": {"x": "x"}}])
def test_413_a_description_that_lambda_would_not_let_out(
    call: Client, s3: CountingBucket, part: dict[str, Any]
) -> None:
    put(s3, body=json.dumps({**json.loads(adder(1)), **part}).encode().replace(b'"x"', LONG))
    answer = call("GET", "/models/hello")
    expect(
        answer, 413, "too-large", "The request or its answer is too large",
        "The answer is larger than 6 MB.",
    )  # fmt: skip
    assert answer.headers["x-model-name"] == "hello"
    assert call.score("1").text == "2.0"


def test_a_problem_is_never_too_large(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3, body=document([{"error": "msg", "@": "x" * 100_000}, "input"]))
    assert call.score("1").status == 422
    assert len(call.score("1").text) < 2000
    errors = [{"pointer": f"/{'x' * 14_000}/{n}", "detail": "no"} for n in range(1000)]

    def fail(*_: object, **__: object) -> None:
        raise pfa.InputError(errors)  # type: ignore[arg-type]

    monkeypatch.setattr(pfa.Model, "score", fail)
    for problem in (call.score("1").json, call.invoke(1)):
        assert problem["errors"] == errors[:4]
        assert "1000 places" in problem["detail"]


@pytest.mark.parametrize(
    "media",
    ["text/plain", "application/x-www-form-urlencoded", NDJSON, "multipart/form-data; boundary=x",
     "application/jsonx", "image/svg+json", ";", "application/json, text/plain"],
)  # fmt: skip
def test_415_other_types(call: Client, s3: CountingBucket, media: str) -> None:
    put(s3)
    if media == ";":
        assert call.score("1", **{"Content-Type": media}).status == 200
        return
    expect(
        call.score("1", **{"Content-Type": media}), 415, "media-type",
        "The body is of a type that is not taken", "The Content-Type must be application/json.",
    )  # fmt: skip


def test_415_charset_compression_and_batches(call: Client, s3: CountingBucket) -> None:
    put(s3)
    title = "The body is of a type that is not taken"
    answer = call.score("1", **{"Content-Type": "application/json; charset=latin-1"})
    expect(answer, 415, "media-type", title, "The charset must be utf-8.")
    answer = call.score("1", **{"Content-Encoding": "gzip"})
    expect(answer, 415, "media-type", title, "The body must not be compressed.")
    answer = call.batch("1", **{"Content-Type": "text/csv"})
    detail = "The Content-Type must be application/json or application/x-ndjson."
    expect(answer, 415, "media-type", title, detail)


def test_422_names_every_wrong_field_and_no_value(call: Client, s3: CountingBucket) -> None:
    version = put(s3, body=document({"+": ["input.age", 0.5]}, PERSON))
    answer = call.score('{"age": "SECRET", "nick/name": "SECRET"}')
    assert (answer.status, answer.headers["content-type"]) == (422, PROBLEM)
    assert answer.headers["x-model-version"] == version
    problem = answer.json
    assert problem["type"] == "urn:pfa-score:invalid-record"
    assert {error["pointer"] for error in problem["errors"]} == {"/age", "/name", "/nick~1name"}
    assert "SECRET" not in answer.text + call.printed
    assert call.counts == {"RefusedRecords": 1}


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "1" * 400])
def test_422_numbers_that_are_not_finite(call: Client, s3: CountingBucket, text: str) -> None:
    put(s3)
    answer = call.score(text)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "")


def test_422_an_error_of_the_documents_own(call: Client, s3: CountingBucket) -> None:
    action = {"if": {"<": ["input", 0]}, "then": {"error": "too low", "code": -7}, "else": "input"}
    put(s3, body=document(action))
    answer = call.score("-1")
    assert answer.status == 422
    assert answer.json == {
        "type": "urn:pfa-score:scoring",
        "title": "The model has no answer for this record",
        "status": 422,
        "detail": answer.json["detail"],
        "instance": INSTANCE,
        "code": -7,
        "position": answer.json["position"],
    }
    assert "too low" in answer.json["detail"]
    assert call.counts == {"ScoringErrors": 1}


def test_422_an_answer_that_json_cannot_carry(call: Client, s3: CountingBucket) -> None:
    put(s3, body=document({"/": ["input", 0.0]}))
    answer = call.score("1")
    assert (answer.status, answer.json["code"]) == (422, None)
    rows = call.batch("[1, 0]").json
    assert [row["error"]["status"] for row in rows] == [422, 422]


def test_500_says_nothing_and_logs_no_record(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3)

    def fail(self: pfa.Model, record: object, timeout: float | None = None) -> None:
        try:
            raise KeyError(record)
        except KeyError as error:
            raise RuntimeError(f"bad {record}") from error

    monkeypatch.setattr(pfa.Model, "score", fail)
    for answer in (call.score("4242"), call("POST", "/score", "4242")):
        expect(
            answer, 500, "fault", "Something went wrong on our side",
            "The log has the reason under the id of this request.",
        )  # fmt: skip
        (line,) = [line for line in call.lines if line.get("level") == "ERROR"]
        assert line["errors"] == ["RuntimeError", "KeyError"]
        assert any("in fail" in frame for frame in line["stack"])
        assert line["function_request_id"] == Context.aws_request_id
        assert line["correlation_id"] == "req-1"
        assert "4242" not in call.printed
        assert call.counts == {"Faults": 1}
    direct = call.invoke(4242)
    assert direct["status"] == 500
    assert "4242" not in call.printed


def test_an_engine_that_fails_on_records_is_logged_once_a_request(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3, body=document({"m.exp": "input"}))

    def trip(record: object) -> float:
        raise LookupError(f"no {record}")

    model = call.app.store.STORE.get("hello").model
    monkeypatch.setattr(model, "_short", None)
    model.check = trip
    rows = call.batch("[4242, 4242, 4242]").json
    assert [row["error"]["status"] for row in rows] == [422, 422, 422]
    (line,) = [line for line in call.lines if line.get("level") == "ERROR"]
    assert line["errors"] == ["LookupError"]
    assert "4242" not in call.printed


def test_503_while_s3_is_down(
    call: Client, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3)

    def down(*_: object, **__: object) -> None:
        raise BucketError("S3 does not answer: ConnectTimeoutError")

    monkeypatch.setattr(s3, "get_if_changed", down)
    title, detail = "The model cannot be loaded now", "The source of models does not answer."
    for _ in range(2):
        answer = call.score("1")
        expect(answer, 503, "unavailable", title, detail)
        assert answer.headers["retry-after"] == "1"
    assert call("GET", "/health").status == 503
    monkeypatch.setattr(s3, "list", down)
    answer = call("GET", "/models")
    expect(answer, 503, "unavailable", title, "The models cannot be listed now.")
    assert answer.headers["retry-after"] == "5"


def test_503_a_broken_document(call: Client, s3: CountingBucket) -> None:
    put(s3, body=b'{"secret')
    answer = call.score("1")
    expect(
        answer, 503, "unavailable", "The model cannot be loaded now",
        "The live document of this model cannot be loaded.",
    )  # fmt: skip
    assert answer.headers["retry-after"] == "60"


def test_503_a_document_over_the_limit(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3)
    put(s3, "other", adder(1))
    monkeypatch.setattr(s3, "max_bytes", 300)  # hello has 390 bytes
    expect(
        call.score("1"), 503, "unavailable", "The model cannot be loaded now",
        "The live document of this model cannot be loaded.",
    )  # fmt: skip
    (line,) = [line for line in call.lines if line.get("level") == "WARNING"]
    assert line["reason"] == "390 bytes are more than the limit of 300"
    assert call.score("1", "other").status == 200  # S3 did answer


def test_a_stale_answer_says_so(call: Client, s3: CountingBucket, clock: Clock) -> None:
    version = put(s3)
    assert "x-model-stale" not in call.score("1").headers
    put(s3, body=b"{")
    clock.now += 60
    answer = call.score("3.14")
    assert answer.text == "103.14"
    assert answer.headers["x-model-stale"] == "true"
    assert answer.headers["x-model-version"] == version
    assert call.metrics["StaleServed"] == 1
    assert call.metrics["RefreshFailed"] == 1
    assert call("GET", "/health").json["stale"] is True
    assert call("GET", "/models/hello").json["stale"] is True
    assert call.score('"x"').headers["x-model-stale"] == "true"


def test_413_a_request_that_takes_all_memory(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3)

    def fail(_: str) -> None:
        raise MemoryError

    monkeypatch.setattr(wire, "loads", fail)
    expect(
        call.score("1"), 413, "too-large", "The request or its answer is too large",
        "It needs more memory than there is.",
    )  # fmt: skip


SPIN = document([{"while": True, "do": 0}, "input"])


def test_504_a_model_that_does_not_end(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3, body=SPIN)
    monkeypatch.setattr(call.app, "SCORE_SECONDS", 0.2)
    answer = call.score("1")
    assert (answer.status, answer.json["type"]) == (504, "urn:pfa-score:timeout")
    assert answer.json["title"] == "The model ran out of its time"
    assert call.counts == {"ScoringTimeouts": 1}
    rows = call.batch("[1, 2]").json
    assert [row["error"]["status"] for row in rows] == [504, 504]
    assert call.metrics["ScoringTimeouts"] == 2


def test_504_within_what_lambda_has_left(call: Client, s3: CountingBucket) -> None:
    put(s3, body=SPIN)
    call.score('"load it"')
    answer = call.invoke(event("POST", "/score", "1"), Context(seconds=0.7))
    assert answer["statusCode"] == 504
    answer = call.invoke(event("POST", "/score", "1"), Context(seconds=0.2))
    assert answer["statusCode"] == 504
    assert "no time left" in answer["body"]


def test_too_deep_a_record_is_the_callers(call: Client, s3: CountingBucket) -> None:
    tree = {
        "type": "record",
        "name": "T",
        "fields": [{"name": "t", "type": ["null", "T"]}],
    }
    put(s3, body=document(1.0, tree))
    for depth in (10, 400, 900, 3000):
        body = '{"t":' * depth + "null" + "}" * depth
        assert call.score(body).status in ((200,) if depth == 10 else (200, 400, 422))
        assert call.batch(f"[{body}]").status in (200, 400, 422)


# --- direct invocations


def test_a_bare_record_goes_to_the_default_model(call: Client, s3: CountingBucket) -> None:
    put(s3)
    put(s3, "people", document({"+": ["input.age", 0.5]}, PERSON))
    assert call.invoke(3.14) == 103.14
    assert call.invoke({"model": "people", "record": {"age": 1, "name": "x"}}) == 1.5
    wrong = call.invoke({"model": "people", "record": {"age": 1}, "more": 1})
    assert wrong["status"] == 422  # three keys: a record for the default model
    assert call.counts == {"RefusedRecords": 1}


@pytest.mark.parametrize(
    "event",
    [{"model": "nope", "record": 1}, {"model": 7, "record": 1}, {"model": "../x", "record": 1}],
)
def test_a_direct_invocation_of_an_unknown_model(
    call: Client, s3: CountingBucket, event: dict[str, Any]
) -> None:
    assert call.invoke(event) == {
        "type": "urn:pfa-score:unknown-model",
        "title": "There is no such model",
        "status": 404,
        "detail": "There is no such model.",
        "instance": INSTANCE,
    }


@pytest.mark.parametrize(
    "event",
    [None, True, [], {}, "x", float("nan"), {"httpMethod": "GET"}, {"requestContext": {}},
     {"httpMethod": 1, "requestContext": None}, {"httpMethod": 1, "requestContext": {}},
     {"httpMethod": "GET", "requestContext": 2}, {"httpMethod": "GET", "requestContext": {}},
     {"httpMethod": "GET", "requestContext": {}, "path": 1}],
)  # fmt: skip
def test_what_is_no_request_is_a_record(call: Client, s3: CountingBucket, event: Any) -> None:
    put(s3)
    answer = call.invoke(event)
    assert (answer["status"], answer["type"]) == (422, "urn:pfa-score:invalid-record")
    json.dumps(answer, allow_nan=False)


def test_the_least_that_is_a_request(call: Client, s3: CountingBucket) -> None:
    put(s3)
    answer = call.invoke({"httpMethod": "GET", "requestContext": {}, "path": "/nope"})
    assert answer["statusCode"] == 404
    answer = call.invoke({"httpMethod": "GET", "requestContext": {}, "path": "/health"})
    assert answer["statusCode"] == 200


def test_text_without_utf8_does_not_leave_as_it_is(call: Client, s3: CountingBucket) -> None:
    put(s3, body=document({"string": "\ud800"}, "string", "string"))
    answer = call.invoke("x")  # the runtime would fail to encode it
    assert answer["status"] == 422
    text = call.score('"\\ud800"')
    assert text.text.isascii()
    assert text.status in (200, 422)


def test_a_problem_without_utf8_does_not_leave_as_it_is(call: Client, s3: CountingBucket) -> None:
    put(s3, body=document([{"@": "at \ud800", "error": "msg\ud800"}, "input"]))
    problem = call.invoke(1)
    assert problem["status"] == 422
    assert problem["detail"].startswith("msg")
    json.dumps(problem, ensure_ascii=False).encode()
    assert call.score("1").text.isascii()


def test_a_context_that_lambda_never_gives(call: Client, s3: CountingBucket) -> None:
    put(s3)
    answer = call.app.handler(3.14, None)
    assert answer["status"] == 500


# --- injection


HOSTILE = 'x"\n{"level":"ERROR","message":"forged"}\r\nX-Evil: 1\x1b[31m\u2028'


def test_hostile_text_forges_no_log_line_and_no_header(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3)
    for method, path, body, headers in [
        ("POST", f"/models/{HOSTILE}/score", "1", {}),
        ("POST", "/score", HOSTILE, {}),
        ("POST", "/score", json.dumps({HOSTILE: 1}), {}),
        ("POST", "/score", '{"%s":1,"%s":2}' % (("\\n\\rSet-Cookie: x",) * 2), {}),
        ("POST", "/score", "1", {"Content-Type": HOSTILE}),
        ("POST", "/score", "1", {"Origin": HOSTILE, "Host": HOSTILE, HOSTILE: HOSTILE}),
        (HOSTILE, "/score", "1", {}),
        ("GET", HOSTILE, None, {}),
        ("GET", "/models/hello", None, {"If-None-Match": HOSTILE}),
    ]:
        answer = call(method, path, body, headers)
        for line in call.lines:  # every line is one JSON object of ours
            assert line.get("message") != "forged"
        for key, value in answer.headers.items():
            assert (key + value).isprintable()
            assert (key + value).isascii()


def test_a_version_that_is_no_header_value_is_cleaned(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3)
    found = s3.get_if_changed("hello")
    evil = found._replace(version="v1\r\nX-Evil: é")
    monkeypatch.setattr(s3, "get_if_changed", lambda *_, **__: evil)
    assert call.score("1").headers["x-model-version"] == "v1X-Evil:"


# --- telemetry


def test_metrics_have_known_dimensions_only(call: Client, s3: CountingBucket) -> None:
    put(s3)
    call.score("1")
    call.score("1", "made-up")
    assert call.counts == {"BadRequests": 1}
    (line,) = call.lines
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
    call("GET", "/models/hello")
    assert call.lines == []
    call.score("1")
    (line,) = call.lines
    assert set(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) == {"service", "model"}
    assert (line["model"], line["ScoredRecords"]) == ("hello", [1.0])
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"]


def test_a_large_batch_is_one_line_of_metrics(call: Client, s3: CountingBucket) -> None:
    put(s3)
    call.score("1")
    call.batch(json.dumps(["x"] * 300 + [1] * 200))
    (line,) = call.lines
    assert (line["RefusedRecords"], line["ScoredRecords"]) == ([300.0], [200.0])


def test_the_first_invocation_is_a_cold_start(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3)
    monkeypatch.setattr(call.app, "_cold", True)
    call.score("1")
    assert call.metrics["ColdStart"] == 1
    assert call.metrics["ModelLoaded"] == 1
    assert call.metrics["ModelLoadTime"] > 0
    call.score("1")
    assert "ColdStart" not in call.metrics


def test_a_model_that_is_not_compiled_is_told_once(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise NotImplementedError("no\n" + "x" * 5000)

    put(s3, "fine", adder(100))
    assert call.score("3.14", "fine").text == "103.14"
    assert "ModelNotCompiled" not in call.metrics
    monkeypatch.setattr("pfa.compiler.compiled", fails)
    put(s3)
    assert call.score("3.14").text == "103.14"
    assert call.metrics["ModelNotCompiled"] == 1
    (line,) = [line for line in call.lines if line.get("message") == "model is not compiled"]
    assert (line["level"], line["model"]) == ("INFO", "hello")
    assert line["reason"].startswith("NotImplementedError: no\nxx")
    assert len(line["reason"]) == 1000
    assert call.score("3.14").text == "103.14"
    assert "ModelNotCompiled" not in call.metrics


# --- rolling


def test_rolling_under_requests_over_the_handler(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "STORE", ModelStore(s3, ttl=0.0))
    versions = {put(s3, body=adder(0)): 0.0}
    done = threading.Event()
    answered = threading.Semaphore(0)

    def roll() -> None:
        for number in range(1, 40):
            answered.acquire(timeout=10)
            versions[put(s3, body=adder(number))] = float(number)
        done.set()

    roller = threading.Thread(target=roll)
    roller.start()
    seen = []
    while not done.is_set():
        answer = call.score("0")
        assert answer.status == 200
        seen.append((answer.headers["x-model-version"], float(answer.text)))
        answered.release()
    roller.join()
    assert all(versions[version] == value for version, value in seen)
    assert len({version for version, _ in seen}) > 3
    assert call.score("0").text == "39.0"


def test_missing_while_it_rolls_is_still_only_missing(
    call: Client, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3)
    assert call.score("1").status == 200

    def gone(*_: object, **__: object) -> None:
        raise MissingError("no such model")

    monkeypatch.setattr(s3, "get_if_changed", gone)
    clock.now += 60
    assert call.score("1").status == 404
    assert call.metrics["ModelGone"] == 1


def test_every_error_class_has_its_status_once() -> None:
    statuses = {kind: status for kind, (status, _, _) in problems.STATUS.items()}
    assert statuses[pfa.InputError] == statuses[pfa.ScoringError] == 422
    assert statuses[pfa.ScoringTimeout] == 504
    assert statuses[wire.NotJsonError] == 400
    slugs = {(status, slug, title) for status, slug, title in problems.STATUS.values()}
    assert {status for status, _, _ in slugs} == {400, 404, 413, 415, 422, 503, 504}
