"""`make rollback` and `make remove` against a Lambda endpoint behind which is the real gate."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from moto import mock_aws

import telemetry
from gate import app, rollback
from gate.promote import Gate, promote
from gate.verdict import Limits
from scripts.rollback import main
from scripts.stack import StackError, place
from tests.gate.buckets import HookedMemory
from tests.moto_s3 import set_credentials

VARIABLES = ("STACK", "GATE_FUNCTION", "FUNCTION", "MODEL_BUCKET", "BUCKET")


def adder(number: float) -> bytes:
    document = {"input": "double", "output": "double", "action": {"+": ["input", number]}}
    return json.dumps(document).encode()


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch)
    for name in (*VARIABLES, "AWS_ENDPOINT_URL_LAMBDA"):
        monkeypatch.delenv(name, raising=False)


class Endpoint:
    """Lambda's Invoke on loopback."""

    def __init__(self) -> None:
        self.bucket = HookedMemory()
        self.asked: list[str] = []
        self.broken: bytes | None = None
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                endpoint.asked.append(self.path)
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                if endpoint.broken is None:
                    body = json.dumps(app._on_command(event, endpoint.gate)).encode()
                else:
                    body = endpoint.broken
                    self.send_header("X-Amz-Function-Error", "Unhandled")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def gate(self) -> Gate:
        return Gate(self.bucket, Limits(), lambda: 300.0)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    made = Endpoint()
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", made.url)
    monkeypatch.setenv("GATE_FUNCTION", "the-gate")
    monkeypatch.setattr(rollback, "announce", lambda *_: None)
    yield made
    made.stop()
    telemetry.metrics.provider.clear_metrics()


def rolled(endpoint: Endpoint, *numbers: int) -> list[str]:
    versions = []
    for number in numbers:
        endpoint.bucket.put_object("models/sonar.pfa", adder(number))
        promote(endpoint.gate, "sonar")
        versions.append(endpoint.bucket.head("live/sonar.pfa").version)
    return versions


def test_back_and_on(endpoint, capsys):
    one, two = rolled(endpoint, 1, 2)
    capsys.readouterr()
    assert main(["sonar"]) == 0
    assert endpoint.bucket.get("live/sonar.pfa").body == adder(1)
    told = capsys.readouterr().out
    assert told.startswith("Model sonar is back at the document of 2024-01-01T")
    assert one in told
    assert "PASSED" in told
    assert main(["sonar", f"--version={two}"]) == 0
    assert endpoint.bucket.get("live/sonar.pfa").body == adder(2)
    assert endpoint.asked == ["/2015-03-31/functions/the-gate/invocations"] * 2


def test_what_is_refused(endpoint, capsys):
    rolled(endpoint, 1)
    capsys.readouterr()
    for arguments in (["sonar"], ["sonar", "--version=gone"], ["nope"], ["../x"]):
        assert main(arguments) == 1
        assert capsys.readouterr().out.startswith("Nothing was changed: ")


def test_remove(endpoint, capsys):
    rolled(endpoint, 1)
    capsys.readouterr()
    assert main(["sonar", "--remove"]) == 0
    assert "no longer live" in capsys.readouterr().out
    assert endpoint.bucket.head("live/sonar.pfa") is None
    assert main(["sonar", "--remove"]) == 1
    assert "no model of this name is live" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [b'{"errorMessage": "x"}', b"null", b"not JSON"])
def test_a_gate_that_fails_is_asked_once(endpoint, capsys, answer):
    endpoint.broken = answer
    assert main(["sonar"]) == 1
    assert "before you try again" in capsys.readouterr().err
    assert len(endpoint.asked) == 1


def test_a_gate_that_does_not_answer(endpoint, capsys, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:9")
    assert main(["sonar"]) == 1
    assert "before you try again" in capsys.readouterr().err


TEMPLATE = {
    "Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b"}}},
    "Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}, "GateFunction": {"Value": "gate-1"}},
}


def test_where_a_stack_has_them(monkeypatch):
    with mock_aws():
        client = boto3.client("cloudformation")
        for name in ("pfa-score", "other"):
            text = json.dumps(TEMPLATE).replace('"gate-1"', f'"gate-of-{name}"')
            text = text.replace('"BucketName": "b"', f'"BucketName": "bucket-{name}"')
            client.create_stack(StackName=name, TemplateBody=text)
        assert place(("GATE_FUNCTION",), "GateFunction") == "gate-of-pfa-score"
        monkeypatch.setenv("STACK", "other")
        assert place(("GATE_FUNCTION",), "GateFunction") == "gate-of-other"
        assert place(("MODEL_BUCKET", "BUCKET"), "Bucket") == "bucket-other"
        monkeypatch.setenv("BUCKET", "mine")
        assert place(("MODEL_BUCKET", "BUCKET"), "Bucket") == "mine"
        with pytest.raises(StackError, match="no output Nope"):
            place((), "Nope")
        monkeypatch.setenv("STACK", "none")
        with pytest.raises(StackError, match="stack none"):
            place((), "Bucket")


def test_a_stack_that_is_not_there(capsys):
    with mock_aws():
        assert main(["sonar"]) == 1
    assert "error: stack pfa-score" in capsys.readouterr().err
