"""The handler: events, commands, what is raised and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from moto import mock_aws

from bucket import Bucket, BucketError
from gate import app
from tests.moto_s3 import created


class Context:
    """What awslambdaric gives a handler, as far as it is used."""

    function_name = "gate"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:gate"
    memory_limit_in_mb = 3008
    aws_request_id = "8b6e3ab4-0d5b-4d3c-9a53-2f6f4e1c0a11"
    tenant_id = None

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


ADDER = json.dumps({"input": "double", "output": "double", "action": {"+": ["input", 1]}}).encode()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.setenv("MODEL_BUCKET", "models")
    monkeypatch.setenv("GATE_MAX_MB", "0.01")
    with mock_aws():
        app._bucket_and_limits.cache_clear()
        created(app._bucket_and_limits()[0])
        yield app
        app._bucket_and_limits.cache_clear()


def bucket_of(gate: ModuleType) -> Bucket:
    found: Bucket = gate._bucket_and_limits()[0]
    return found


def event(key: str, version: str = "", bucket: str = "models") -> dict[str, Any]:
    """What EventBridge sends, as far as it is read, and a little more."""
    return {
        "version": "0",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": bucket},
            "object": {
                "key": key,
                "version-id": version,
                "size": 1,
                "etag": "x",
                "sequencer": "0062E99A88DC407460",
            },
        },
    }


def metrics_of(lines: list[dict[str, Any]]) -> list[tuple[str, tuple[str, ...]]]:
    """Names and dimensions of the metrics."""
    return [
        (metric["Name"], tuple(group["Dimensions"][0]))
        for line in lines
        for group in line.get("_aws", {}).get("CloudWatchMetrics", [])
        for metric in group["Metrics"]
    ]


def messages(lines: list[dict[str, Any]]) -> list[str]:
    return [line["message"] for line in lines if "message" in line]


def test_an_upload(gate, printed):
    version = bucket_of(gate).put_object("models/hello.pfa", ADDER)
    answer = gate.handler(event("models/hello.pfa", version), Context())
    assert [report["verdict"] for report in answer["reports"]] == ["promoted"]
    assert json.dumps(answer)
    assert bucket_of(gate).get("live/hello.pfa").body == ADDER
    lines = printed()
    assert messages(lines) == ["model promoted"]
    assert sorted(metrics_of(lines)) == [
        ("GateTime", ("service", "model")),
        ("ModelPromoted", ("service",)),
        ("ModelPromoted", ("service", "model")),
    ]
    again = gate.handler(event("models/hello.pfa", version), Context())
    assert again == {"reports": []}
    lines = printed()
    assert messages(lines) == ["upload was settled or overtaken"]
    assert metrics_of(lines) == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\x00", b"[" * 9_999, b"x" * 20_000])
def test_a_bad_document_is_not_raised(gate, printed, body):
    version = bucket_of(gate).put_object("models/hello.pfa", body)
    answer = gate.handler(event("models/hello.pfa", version), Context())
    assert [report["verdict"] for report in answer["reports"]] == ["rejected"]
    lines = printed()
    (line,) = [line for line in lines if "message" in line]
    assert (line["message"], line["level"], line["model"]) == ("model rejected", "WARNING", "hello")
    assert line["text"].endswith("FAILED")
    assert line["report"] == f"reports/hello/{version}.json"
    assert ("ModelRejected", ("service",)) in metrics_of(lines)


@pytest.mark.parametrize(
    "key",
    [
        "models/a b.pfa",
        "models/team/x.pfa",
        "models/.pfa",
        "models/x.json",
        "models/é.pfa",
        "models/-x.routes.json",
        f"models/{'x' * 65}.pfa",
        "models/../live/x.pfa",
        "models/x\n.pfa",
    ],
)
def test_a_key_of_no_model_is_told(gate, printed, key):
    assert gate.handler(event(key), Context()) == {"reports": []}
    lines = printed()
    assert messages(lines) == ["upload ignored: this is no key of a model"]
    assert metrics_of(lines) == [("ModelRejected", ("service",))]


@pytest.mark.parametrize("key", ["models/", "models/team/"])
def test_a_folder_is_ignored(gate, printed, key):
    assert gate.handler(event(key), Context()) == {"reports": []}
    assert metrics_of(printed()) == []


@pytest.mark.parametrize(
    "sent",
    [
        event("live/x.pfa"),
        event("models/x.pfa", bucket="other"),
        {**event("models/x.pfa"), "source": "aws.ec2"},
        {**event("models/x.pfa"), "detail-type": "Object Deleted"},
        {"source": "aws.s3", "detail-type": "Object Created", "detail": {}},
        {"source": "aws.s3", "detail-type": "Object Created", "detail": None},
        {},
        [],
        None,
        1,
    ],
)
def test_what_is_no_event_of_an_upload_is_ignored(gate, printed, sent):
    assert gate.handler(sent, Context()) == {"reports": []}
    assert len(messages(printed())) == 1


def test_s3_that_fails_is_raised_for_lambda_to_try_again(gate, printed, monkeypatch):
    def fail(*_: object) -> None:
        raise BucketError("S3 does not answer: ReadTimeoutError")

    monkeypatch.setattr(bucket_of(gate), "head", fail)
    with pytest.raises(BucketError):
        gate.handler(event("models/hello.pfa"), Context())
    assert messages(printed()) == ["not finished"]
    answer = gate.handler({"command": "remove", "model": "hello"}, Context())
    assert not answer["done"]
    assert "Not finished: S3 does not answer" in answer["message"]


def test_commands(gate):
    bucket = bucket_of(gate)
    for number in (1, 2):
        bucket.put_object("models/hello.pfa", ADDER.replace(b"1", str(number).encode()))
        answer = gate.handler({"command": "check", "model": "hello"}, Context())
        assert [report["verdict"] for report in answer["reports"]] == ["promoted"]
    assert gate.handler({"command": "check", "model": "hello"}, Context())["reports"] == []
    newest, oldest = [item.version for item in bucket.versions("hello")]
    done = gate.handler({"command": "rollback", "model": "hello"}, Context())
    assert (done["done"], done["to"]) == (True, oldest)
    done = gate.handler({"command": "rollback", "model": "hello", "version": newest}, Context())
    assert (done["done"], done["to"]) == (True, newest)
    assert gate.handler({"command": "remove", "model": "hello"}, Context())["done"]
    assert bucket.head("live/hello.pfa") is None


@pytest.mark.parametrize(
    "command",
    [
        {"command": "rollback"},
        {"command": "rollback", "model": "../x"},
        {"command": "rollback", "model": 1},
        {"command": "rollback", "model": "hello", "version": 1},
        {"command": "nope", "model": "hello"},
        {"command": None, "model": "hello"},
        {"command": ["remove"], "model": "hello"},
    ],
)
def test_a_command_that_is_none(gate, command):
    answer = gate.handler(command, Context())
    assert answer["done"] is False
    assert answer["message"].startswith("Nothing was changed")


def test_a_fault_of_ours_is_logged_and_raised(gate, printed, monkeypatch):
    text = "".join(["sec", "ret"])

    def fail(*_: object) -> None:
        raise ZeroDivisionError(text)

    monkeypatch.setattr(app, "promote", fail)
    with pytest.raises(ZeroDivisionError):
        gate.handler(event("models/hello.pfa"), Context())
    lines = printed()
    assert messages(lines) == ["unexpected error"]
    assert text not in str(lines)


def test_limits_that_are_wrong_do_not_open_the_gate(gate, printed, monkeypatch):
    app._bucket_and_limits.cache_clear()
    monkeypatch.setenv("GATE_ALLOW_BREAKING", "maybe")
    with pytest.raises(ValueError, match="GATE_ALLOW_BREAKING"):
        gate.handler(event("models/hello.pfa"), Context())
    assert messages(printed()) == ["unexpected error"]
