"""A bucket of moto's, a clock that stands until it is told, and documents that add a number."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from moto import mock_aws

import pfa
from bucket import ARTIFACT_SUFFIX, LIVE_PREFIX, ROUTES_SUFFIX, Bucket, key_of
from score.store import ModelStore
from tests.moto_s3 import created, set_credentials
from tests.score.faulty_s3 import FaultyS3


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class CountingBucket(Bucket):
    """A bucket that remembers which models it was asked for."""

    asked: list[str]

    def get_if_changed(self, name, etag=None, seconds=None, **more):  # type: ignore[no-untyped-def]
        self.__dict__.setdefault("asked", []).append(name)
        return super().get_if_changed(name, etag, seconds, **more)


def adder(number: float, **more: object) -> bytes:
    """A document whose answer is its input plus `number`."""
    document = {"input": "double", "output": "double", "action": {"+": ["input", number]}, **more}
    return json.dumps(document).encode()


def facts(body: bytes, artifact: bytes | None = None, version: str = "") -> dict[str, str]:
    """The metadata that the gate gives a live document, with an artifact of that version."""
    return {
        "sha256": hashlib.sha256(body).hexdigest(),
        "source-version": "upload-1",
        "engine": pfa.VERSION,
        "examples": "7",
        "largest-error": "0.0",
        "artifact-key": pfa.artifact_key() if artifact is not None else "",
        "artifact-version": version,
    }


def promote(s3: Bucket, name: str, body: bytes, artifact: bytes | None = None, **other: str) -> str:
    """Put a document live with its artifact, or with other bytes in its place."""
    if artifact is None:
        artifact = pfa.load(body).to_artifact()
    version = s3.put_object(key_of(LIVE_PREFIX, name, ARTIFACT_SUFFIX), artifact)
    return s3.put(name, body, {**facts(body, artifact, version), **other})


def route(s3: Bucket, name: str, routes: object) -> str:
    """Put routes live: JSON values, or bytes as they are."""
    body = routes if isinstance(routes, bytes) else json.dumps(routes).encode()
    return s3.put_object(key_of(LIVE_PREFIX, name, ROUTES_SUFFIX), body)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def s3() -> Iterator[CountingBucket]:
    with mock_aws():
        live = created(CountingBucket("models"))
        live.asked = []
        yield live


@pytest.fixture
def models(s3: CountingBucket, clock: Clock) -> ModelStore:
    return ModelStore(s3, ttl=60, clock=clock)


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    server = FaultyS3()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
    yield server
    server.stop()


class Context:
    """What awslambdaric gives a handler, as far as it is used."""

    function_name = "score"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:score"
    memory_limit_in_mb = 512
    aws_request_id = "8b6e3ab4-0d5b-4d3c-9a53-2f6f4e1c0a11"
    tenant_id = None

    def __init__(self, seconds: float = 29.0) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


def event(
    method: str,
    path: str,
    body: str | None = None,
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    is_base64: bool = False,
) -> dict[str, Any]:
    """An API Gateway REST proxy event."""
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {key: [value] for key, value in (headers or {}).items()} or None,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"stage": "v1", "path": f"/v1{path}", "requestId": "req-1"},
        "body": body,
        "isBase64Encoded": is_base64,
    }


class Answer(NamedTuple):
    """An answer of the handler as a client sees it."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text, parse_constant=pytest.fail)


class Client:
    """Calls the handler as Lambda would, and keeps what it printed."""

    def __init__(self, app: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
        self.app = app
        self.capsys = capsys
        self.printed = ""

    def invoke(self, event: Any, context: Context | None = None) -> Any:
        answer = self.app.handler(event, context or Context())
        self.printed = self.capsys.readouterr().out
        return answer

    def __call__(self, *args: Any, **more: Any) -> Answer:
        answer = self.invoke(event(*args, **more))
        headers = answer["multiValueHeaders"]
        assert all(len(values) == 1 for values in headers.values())
        return Answer(
            answer["statusCode"], {k.lower(): v[0] for k, v in headers.items()}, answer["body"]
        )

    def score(self, text: str, name: str = "hello", **headers: str) -> Answer:
        return self("POST", f"/models/{name}/score", text, headers=headers or None)

    def batch(self, text: str, name: str = "hello", **headers: str) -> Answer:
        return self("POST", f"/models/{name}/batch", text, headers=headers or None)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The log lines and metrics of the last invocation."""
        return [json.loads(line) for line in self.printed.splitlines()]

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics of the last invocation, summed."""
        found: dict[str, float] = {}
        for line in self.lines:
            for group in line.get("_aws", {}).get("CloudWatchMetrics", []):
                for metric in group["Metrics"]:
                    found[metric["Name"]] = sum(line[metric["Name"]])
        return found

    @property
    def counts(self) -> dict[str, float]:
        """The metrics of the last invocation, but those of loading and times."""
        others = ("ModelLoaded", "ModelLoadTime", "ScoreTime")
        return {name: value for name, value in self.metrics.items() if name not in others}


class Stdout:
    """Whatever is the standard output when something is written."""

    def write(self, text: str) -> None:
        sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


@pytest.fixture
def call(
    models: ModelStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Client:
    """The handler over the bucket; its default model is `hello`, which is not there yet."""
    import telemetry
    from score import app, store

    for handler in telemetry.logger.handlers:  # made at import, with the stdout of then
        monkeypatch.setattr(handler, "stream", Stdout())
    monkeypatch.setattr(store, "STORE", models)
    monkeypatch.setattr(app, "DEFAULT_MODEL", "hello")
    monkeypatch.setattr(app, "_cold", False)
    return Client(app, capsys)
