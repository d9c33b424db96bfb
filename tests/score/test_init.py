"""What happens in Lambda's INIT phase, each time in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRELUDE = """
import json, sys
from score import app
loaded = [m for m in {lazy} if m in sys.modules]
from tests.score.conftest import Context, event
def show(answer): print("ANSWER", json.dumps(answer))
"""
LAZY = [
    "boto3",
    "botocore.session",
    "aws_xray_sdk",
    "numpy",
    "yaml",
    "ply",
    "pydantic",
]


def run(code: str, warnings: str = "error", **environment: str) -> list[object]:
    """Run `code` after the handler's import; return what it showed."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "POWERTOOLS_"))}
    done = subprocess.run(
        [sys.executable, "-W", warnings, "-c", PRELUDE.format(lazy=LAZY) + code],
        env={
            **clean,
            "PYTHONPATH": f"{ROOT / 'functions'}{os.pathsep}{ROOT}",
            "LAMBDA_TASK_ROOT": str(ROOT),
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    shown = [line for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
    return [json.loads(line.removeprefix("ANSWER ")) for line in shown]


def test_the_default_model_is_loaded_at_import_and_little_else() -> None:
    code = """
from score.store import STORE
show([loaded, list(STORE._slots)])
show(app.handler(3.14, Context()))
"""
    (state, answer) = run(code, DEFAULT_MODEL="hello")
    assert state == [[], ["hello"]]
    assert answer == 103.14


def test_a_bucket_needs_botocore_and_no_more() -> None:
    (loaded,) = run("show(loaded)", MODEL_BUCKET="models")
    assert loaded == ["botocore.session"]


def test_init_does_not_fail_without_s3() -> None:
    code = 'show(app.handler(event("POST", "/score", "1"), Context()))'
    (answer,) = run(
        code,
        MODEL_BUCKET="models",
        DEFAULT_MODEL="hello",
        AWS_ENDPOINT_URL_S3="http://127.0.0.1:9",
    )
    assert isinstance(answer, dict)
    assert answer["statusCode"] == 503
    assert int(answer["multiValueHeaders"]["Retry-After"][0]) >= 1


def test_init_does_not_fail_without_the_default_model() -> None:
    (answer,) = run("show(app.handler(1, Context()))", DEFAULT_MODEL="nope")
    assert isinstance(answer, dict)
    assert answer["status"] == 404


def test_init_does_not_fail_with_a_default_that_is_no_name() -> None:
    (answer,) = run("show(app.handler(1, Context()))", DEFAULT_MODEL="../hello.pfa")
    assert isinstance(answer, dict)
    assert answer["status"] == 404


CORS = """
calls = [("POST", "/score"), ("OPTIONS", "/score"), ("GET", "/nope"), ("PUT", "/score")]
for method, path in calls:
    for origin in ("https://a.example", "https://evil.example"):
        answer = app.handler(event(method, path, "1", {"Origin": origin}), Context())
        show([answer["statusCode"], answer["multiValueHeaders"]])
"""


def test_cors_is_for_the_origins_that_were_configured() -> None:
    shown = run(
        CORS, DEFAULT_MODEL="hello", CORS_ALLOW_ORIGIN="https://a.example, https://b.example"
    )
    assert [status for status, _ in shown] == [200, 200, 204, 204, 404, 404, 404, 404]
    for _, headers in shown[::2]:
        assert headers["Access-Control-Allow-Origin"] == ["https://a.example"]
        exposed = headers["Access-Control-Expose-Headers"][0].split(",")
        assert {"ETag", "X-Model-Name", "X-Model-Version", "X-Model-Stale"} <= set(exposed)
        assert "X-Api-Key" in headers["Access-Control-Allow-Headers"][0]
    for _, headers in shown[1::2]:
        assert "Access-Control-Allow-Origin" not in headers
    assert "POST" in shown[2][1]["Access-Control-Allow-Methods"][0]


def test_cors_for_everybody_and_for_nobody() -> None:
    shown = run(CORS, DEFAULT_MODEL="hello", CORS_ALLOW_ORIGIN="*")
    assert all(headers["Access-Control-Allow-Origin"] == ["*"] for _, headers in shown)
    shown = run(CORS, DEFAULT_MODEL="hello", CORS_ALLOW_ORIGIN="")
    assert not any("Access-Control-Allow-Origin" in headers for _, headers in shown)
    assert [status for status, _ in shown] == [200, 200, 404, 404, 404, 404, 404, 404]


def test_tracing_is_imported_only_when_it_is_on_and_then_answers_too() -> None:
    code = """
show(loaded)
show(app.handler(event("POST", "/score", "3.14"), Context()))
"""
    (loaded, answer) = run(
        code,
        DEFAULT_MODEL="hello",
        POWERTOOLS_TRACE_DISABLED="false",
        AWS_XRAY_CONTEXT_MISSING="IGNORE_ERROR",
    )
    assert loaded == ["aws_xray_sdk"]
    assert isinstance(answer, dict)
    assert answer["body"] == "103.14"


def test_powertools_dev_mode_lets_no_stack_trace_out() -> None:
    code = """
import pfa
def fail(*_, **__): raise RuntimeError("secret")
pfa.Model.score = fail
show(app.handler(event("POST", "/score", "1"), Context()))
"""
    (answer,) = run(code, warnings="ignore", DEFAULT_MODEL="hello", POWERTOOLS_DEV="true")
    assert isinstance(answer, dict)
    assert answer["statusCode"] == 500
    assert "secret" not in json.dumps(answer)
    assert "Traceback" not in json.dumps(answer)
