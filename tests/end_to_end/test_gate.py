"""The way of an upload: checked, live, answered; or refused, and no caller notices."""

import hashlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from scripts.local_cloud import GATE, ROOT, LocalCloud
from scripts.local_cloud.s3 import CREDENTIALS
from scripts.local_cloud.template import REGION
from tests.end_to_end.conftest import Callers, adding, http_client

pytestmark = pytest.mark.end_to_end

TTL = 0.3  # seconds: requests meet loads and refreshes, and most of them neither


@pytest.fixture(scope="module")
def rolling(artefact: Path) -> Iterator[LocalCloud]:
    """A cloud in which a model is asked for again after a moment, as on AWS after a minute."""
    overrides = {"MODEL_TTL_SECONDS": str(TTL)}
    with LocalCloud(artefact, emulators=3, overrides=overrides) as cloud:
        yield cloud


@pytest.fixture
def client(rolling: LocalCloud) -> Iterator[httpx.Client]:
    with http_client(rolling) as client:
        yield client


@pytest.fixture
def name() -> str:
    """A name that no test had before."""
    return f"test-{uuid.uuid4().hex[:12]}"


def settle(cloud: LocalCloud, name: str, document: bytes) -> tuple[str, dict[str, Any]]:
    """Upload a document; return its version and the gate's report on it."""
    version = cloud.upload(name, document)
    return version, cloud.wait_for_report(name, version)


def live_head(cloud: LocalCloud, name: str) -> Any:
    return cloud.s3.client.head_object(Bucket=cloud.bucket, Key=f"live/{name}.pfa")


def command(cloud: LocalCloud, **event: str) -> dict[str, Any]:
    """Call the gate by Lambda's Invoke over HTTP, as the AWS CLI does."""
    lambda_client = boto3.client(
        "lambda",
        endpoint_url=cloud.lambda_url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    try:
        answer = lambda_client.invoke(FunctionName=GATE, Payload=json.dumps(event).encode())
        assert "FunctionError" not in answer, answer["Payload"].read()
        return dict(json.loads(answer["Payload"].read()))
    finally:
        lambda_client.close()


def within_ttl(call: Callable[[], httpx.Response], right: Callable[[httpx.Response], bool]) -> None:
    """Repeat a request until its answer is right; each emulator has its own cache."""
    give_up = time.monotonic() + 20 + TTL
    while not right(response := call()):
        assert time.monotonic() < give_up, response.text
        time.sleep(0.05)


def test_an_upload_that_passes_goes_live_and_answers(
    rolling: LocalCloud, client: httpx.Client, name: str
) -> None:
    version, report = settle(rolling, name, adding(7))
    assert report["verdict"] == "promoted", report["text"]
    assert report["upload"]["version"] == version
    head = live_head(rolling, name)
    assert head["VersionId"] == report["live"]
    assert head["Metadata"]["source-version"] == version
    assert head["Metadata"]["sha256"] == report["sha256"]
    answer = client.post(f"/models/{name}/score", json=1)
    assert (answer.status_code, answer.json()) == (200, [1, 7, 8])
    assert answer.headers["x-model-version"] == report["live"]


def test_a_broken_upload_is_refused_and_the_old_model_goes_on(
    rolling: LocalCloud, client: httpx.Client, name: str
) -> None:
    _, before = settle(rolling, name, adding(1))
    path = f"/models/{name}/score"
    document = json.loads(adding(2))
    document["action"] = {"+": ["input", "nothing"]}
    version, report = settle(rolling, name, json.dumps(document).encode())
    assert report["verdict"] == "rejected"
    [failed] = [it for it in report["findings"] if it["status"] == "failed"]
    assert failed["check"] == "pfa"
    assert "nothing" in failed["message"]  # what is wrong, in words
    assert "FAILED" in report["text"]
    give_up = time.monotonic() + 10
    while version not in rolling.gate.logs():  # it is told after the report is there
        assert time.monotonic() < give_up
        time.sleep(0.05)
    assert live_head(rolling, name)["VersionId"] == before["live"]
    time.sleep(TTL)
    for _ in range(6):
        answer = client.post(path, json=1)
        assert (answer.status_code, answer.json()) == (200, [1, 1, 2])
        assert answer.headers["x-model-version"] == before["live"]
        assert "x-model-stale" not in answer.headers


@pytest.mark.parametrize("body", [b"", b"{", b'{"input": 1, "input": 2}', b"\xff\x00", b"[]"])
def test_what_is_no_document_is_refused(rolling: LocalCloud, name: str, body: bytes) -> None:
    _, report = settle(rolling, name, body)
    assert report["verdict"] == "rejected"
    assert report["live"] is None


def test_the_same_bytes_again_change_nothing(rolling: LocalCloud, name: str) -> None:
    settle(rolling, name, adding(1))
    before = live_head(rolling, name)
    _, report = settle(rolling, name, adding(1))
    assert report["verdict"] == "unchanged"
    assert live_head(rolling, name)["VersionId"] == before["VersionId"]


def test_five_rolls_under_load_one_of_them_broken(rolling: LocalCloud, name: str) -> None:
    """1,000 requests: none fails, none is of two versions, the broken one answers none."""
    _, report = settle(rolling, name, adding(0))
    numbers = {report["live"]: 0}
    broken = adding(3).replace(b'"input"', b'"imput"')
    with Callers(rolling, name, 4) as callers:
        for number in range(1, 6):
            callers.wait_for(140)
            _, report = settle(rolling, name, broken if number == 3 else adding(number))
            assert report["verdict"] == ("rejected" if number == 3 else "promoted")
            if number != 3:
                numbers[report["live"]] = number
        callers.wait_for(140)
        callers.wait_for(max(0, 1000 - len(callers.answers)))
        # The last one answers on every emulator within the time to live.
        give_up = time.monotonic() + 20
        while {it.json()[1] for _, it in callers.answers[-50:]} != {5}:
            assert time.monotonic() < give_up
            time.sleep(0.05)
    assert not callers.failures
    assert len(callers.answers) >= 1000
    seen: Counter[int] = Counter()
    for number, response in callers.answers:
        assert response.status_code == 200, response.text
        assert "x-model-stale" not in response.headers
        version = numbers[response.headers["x-model-version"]]
        assert response.json() == [number, version, number + version]
        seen[version] += 1
    assert set(seen) == {0, 1, 2, 4, 5}


def test_many_uploads_at_once_leave_the_newest(rolling: LocalCloud, name: str) -> None:
    """The gate may skip those that were overtaken."""
    for number in range(1, 8):
        version = rolling.upload(name, adding(number))
    report = rolling.wait_for_report(name, version)
    assert report["verdict"] == "promoted"
    assert live_head(rolling, name)["Metadata"]["source-version"] == version


def test_roll_back_and_remove(rolling: LocalCloud, client: httpx.Client, name: str) -> None:
    path = f"/models/{name}/score"
    versions = [settle(rolling, name, adding(number))[1]["live"] for number in (1, 2, 3)]

    def answers(number: int) -> Callable[[httpx.Response], bool]:
        return lambda answer: answer.json()[1] == number

    within_ttl(lambda: client.post(path, json=1), answers(3))
    done = command(rolling, command="rollback", model=name)
    assert done["done"] is True, done
    within_ttl(lambda: client.post(path, json=1), answers(2))
    done = command(rolling, command="rollback", model=name, version=versions[0])
    assert done["done"] is True, done
    within_ttl(lambda: client.post(path, json=1), answers(1))
    # The events of the uploads come once more, as they may; the rollback stays.
    command(rolling, command="check", model=name)
    assert live_head(rolling, name)["ContentLength"] == len(adding(1))
    done = command(rolling, command="rollback", model=name, version="no-such-version")
    assert done["done"] is False
    done = command(rolling, command="remove", model=name)
    assert done["done"] is True, done
    within_ttl(lambda: client.post(path, json=1), lambda answer: answer.status_code == 404)
    # Back again, from its versions
    done = command(rolling, command="rollback", model=name, version=versions[2])
    assert done["done"] is True, done
    # A name that was not there is not asked for at once again.
    within_ttl(lambda: client.post(path, json=1), lambda answer: answer.status_code == 200)
    assert client.post(path, json=1).json()[1] == 3


def test_an_older_version_can_be_asked(
    rolling: LocalCloud, client: httpx.Client, name: str
) -> None:
    versions = [settle(rolling, name, adding(number))[1]["live"] for number in (1, 2)]
    listed = client.get(f"/models/{name}/versions").json()
    assert [it["version"] for it in listed["versions"]] == versions[::-1]
    assert [it["live"] for it in listed["versions"]] == [True, False]
    for number, version in enumerate(versions, 1):
        answer = client.post(f"/models/{name}/versions/{version}/score", json=1)
        assert answer.json() == [1, number, 1 + number]
        assert answer.headers["x-model-version"] == version


def test_no_upload_got_lost(rolling: LocalCloud) -> None:
    assert rolling.uploads.lost == []


def test_the_sample_event_is_handled(cloud: LocalCloud) -> None:
    """`sam local invoke GateFunction -e events/upload.json`: it settles what it names."""
    event = (ROOT / "events/upload.json").read_bytes()
    answer = cloud.gate.invoke(event)
    assert answer.error is None
    assert json.loads(answer.payload) == {"reports": []}  # the sample model has its report


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/2015-03-31/functions/NoFunction/invocations", 404),
        ("/2015-03-31/functions", 404),
        (f"/2015-03-31/functions/{GATE}/invocations", 200),
        (f"/2015-03-31/functions/arn:aws:lambda:a:1:function:{GATE}:live/invocations", 200),
    ],
)
def test_invoke_over_http(cloud: LocalCloud, path: str, status: int) -> None:
    response = httpx.post(cloud.lambda_url + path, content=b'{"command": "none"}', trust_env=False)
    assert response.status_code == status
    if status == 200:
        assert response.json()["done"] is False
        assert "x-amz-function-error" not in response.headers


def test_invoke_refuses_what_lambda_refuses(cloud: LocalCloud) -> None:
    url = f"{cloud.lambda_url}/2015-03-31/functions/{GATE}/invocations"
    assert httpx.post(url, content=b"no JSON", trust_env=False).status_code == 400
    assert httpx.get(url, trust_env=False).status_code == 404
    headers = {"x-amz-invocation-type": "Event"}
    answer = httpx.post(url, content=b"{}", headers=headers, trust_env=False)
    assert (answer.status_code, answer.content) == (202, b"")
    fault = httpx.post(
        f"{cloud.lambda_url}/2015-03-31/functions/ScoreFunction/invocations",
        content=b'{"model": "hello", "record": 3.14}',
        trust_env=False,
    )
    assert fault.json() == 103.14


def test_the_scripts_find_the_local_cloud(cloud: LocalCloud, name: str) -> None:
    """`make rollback` and `make live`, by the variables that `make serve` prints."""
    for number in (1, 2):
        settle(cloud, name, adding(number))
    env = os.environ | {
        "AWS_ENDPOINT_URL_S3": cloud.s3.url,
        "AWS_ENDPOINT_URL_LAMBDA": cloud.lambda_url,
        "AWS_DEFAULT_REGION": REGION,
        "BUCKET": cloud.bucket,
        "FUNCTION": GATE,
        "NO_PROXY": "*",
        **CREDENTIALS,
    }

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert name in run("scripts.rollback", name)
    head = live_head(cloud, name)
    assert head["ETag"] == f'"{hashlib.md5(adding(1)).hexdigest()}"'
    [line] = [line for line in run("scripts.live").splitlines() if line.startswith(name)]
    assert head["VersionId"] in line
