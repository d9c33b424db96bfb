"""The local cloud itself, on a function that does as it is told: it must fail as AWS does."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from scripts.local_cloud import ROOT, LocalCloud, StartError
from scripts.local_cloud.processes import die_with_parent
from scripts.local_cloud.template import load

pytestmark = pytest.mark.end_to_end

HANDLER = """
import json, os, sys, time

def handler(event, context):
    if event.get("call") == "seen":
        return {"path": sys.path, "environment": dict(os.environ)}
    order = (event.get("multiValueHeaders") or {}).get("x-do", ["echo"])[-1]
    if order == "echo":
        return {"statusCode": 200, "body": json.dumps(event)}
    if order == "sleep":
        time.sleep(60)
    if order == "spin":
        while True: pass
    if order == "exit":
        os._exit(3)
    if order == "raise":
        raise ValueError("secret")
    if order == "big":
        return {"statusCode": 200, "body": "x" * 6_300_000}
    if order == "text":
        return "no proxy answer"
    if order == "keys":
        return {"statusCode": 200, "answer": 1}
    if order == "number":
        return {"statusCode": 200, "body": 1}
    if order == "pid":
        time.sleep(0.3)
        return {"statusCode": 200, "body": str(os.getpid())}
    if order == "headers":
        return {"statusCode": 201, "headers": {"X-One": "1", "X-Two": "a"},
                "multiValueHeaders": {"X-Two": ["a", "b"]}, "body": "é"}
"""

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Origin: {Type: String, Default: "https://example.org"}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Auth: {ApiKeyRequired: true, AddApiKeyRequiredToCorsPreflight: false}
      Cors: {AllowMethods: "'POST'", AllowHeaders: "'x-api-key'", AllowOrigin: !Sub "'${Origin}'"}
      GatewayResponses:
        DEFAULT_4XX:
          ResponseParameters: {Headers: {Access-Control-Allow-Origin: !Sub "'${Origin}'"}}
  ScoreFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: app.handler
      Runtime: python3.13
      Timeout: 2
      MemorySize: 256
      Environment:
        Variables: {ORIGIN: !Ref Origin, MODEL_BUCKET: "some"}
      Events:
        Do:
          Type: Api
          Properties: {RestApiId: !Ref Api, Path: "/do/{name}", Method: POST}
        Fixed:
          Type: Api
          Properties: {RestApiId: !Ref Api, Path: "/do/fixed", Method: POST}
        Open:
          Type: Api
          Properties: {RestApiId: !Ref Api, Path: /open, Method: GET, Auth: {ApiKeyRequired: false}}
"""

# From AWS's example of a REST API's proxy event; left out is what only a deployed one has.
EVENT_KEYS = {
    "resource",
    "path",
    "httpMethod",
    "headers",
    "multiValueHeaders",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "pathParameters",
    "stageVariables",
    "requestContext",
    "body",
    "isBase64Encoded",
}
CONTEXT_KEYS = {
    "accountId",
    "apiId",
    "domainName",
    "domainPrefix",
    "extendedRequestId",
    "httpMethod",
    "identity",
    "path",
    "protocol",
    "requestId",
    "requestTime",
    "requestTimeEpoch",
    "resourceId",
    "resourcePath",
    "stage",
}


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    (folder / "app.py").write_text(HANDLER)
    (folder / "template.yaml").write_text(TEMPLATE)
    return folder


@pytest.fixture(scope="module")
def cloud(task: Path) -> Iterator[LocalCloud]:
    template = task / "template.yaml"
    with LocalCloud(task, template=template, emulators=3, with_s3=False) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def client(cloud: LocalCloud) -> Iterator[httpx.Client]:
    headers = {"x-api-key": cloud.api_key}
    with httpx.Client(base_url=cloud.url, headers=headers, timeout=30, trust_env=False) as client:
        yield client


def order(client: httpx.Client, what: str) -> httpx.Response:
    return client.post("/do/it", headers={"x-do": what})


def children() -> set[int]:
    """The ids of all processes that came from this one, by reading /proc."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(stat.parent.name)] = int(fields[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def gone(pids: set[int], seconds: float = 10) -> bool:
    """Whether none of the processes runs, waiting up to `seconds` for it."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        left = {pid for pid in pids if Path(f"/proc/{pid}").exists()}
        states = []
        for pid in left:
            try:
                states.append(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0])
            except OSError:
                continue
        if all(state == "Z" for state in states):
            return True
        time.sleep(0.05)
    return False


def test_event_has_the_form_of_a_proxy_event(client: httpx.Client) -> None:
    response = client.post(
        "/do/a%2Fb%20c?x=1&x=2&y=",
        content='{"ü": 1}'.encode(),
        headers=[("X-Many", "1"), ("X-Many", "2"), ("Content-Type", "application/json")],
    )
    event = response.json()
    assert event.keys() == EVENT_KEYS
    assert event["requestContext"].keys() == CONTEXT_KEYS
    assert event["resource"] == event["requestContext"]["resourcePath"] == "/do/{name}"
    # As API Gateway does for REST APIs, the path stays encoded and the query does not.
    assert event["path"] == "/do/a%2Fb%20c"
    assert event["pathParameters"] == {"name": "a%2Fb%20c"}
    assert event["queryStringParameters"] == {"x": "2", "y": ""}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": [""]}
    assert event["headers"]["X-Many"] == "2"
    assert event["multiValueHeaders"]["X-Many"] == ["1", "2"]
    assert event["body"] == '{"ü": 1}'
    assert event["isBase64Encoded"] is False


def test_event_without_body_and_query_has_nulls(client: httpx.Client) -> None:
    event = client.get("/open").json()
    assert event["body"] is None
    assert event["queryStringParameters"] is None
    assert event["pathParameters"] is None


def test_body_that_is_not_utf8_does_not_fail(client: httpx.Client) -> None:
    assert client.post("/do/it", content=b"\xff{}").json()["body"] == "\ufffd{}"


def test_chunked_body_arrives_whole(client: httpx.Client) -> None:
    assert client.post("/do/it", content=iter([b"ab", b"cd"])).json()["body"] == "abcd"


def test_fixed_path_goes_before_a_parameter(client: httpx.Client) -> None:
    assert client.post("/do/fixed").json()["resource"] == "/do/fixed"


def test_answer_headers_are_merged(client: httpx.Client) -> None:
    response = order(client, "headers")
    assert (response.status_code, response.text) == (201, "é")
    assert response.headers.get_list("x-two") == ["a", "b"]
    assert response.headers["x-one"] == "1"
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("what", ["raise", "exit", "big", "text", "keys", "number", "sleep"])
def test_failure_of_the_function_is_502_and_the_next_request_is_answered(
    client: httpx.Client, what: str
) -> None:
    response = order(client, what)
    assert response.status_code == 502
    assert response.json() == {"message": "Internal server error"}
    assert order(client, "echo").status_code == 200


def test_integration_timeout_is_504(task: Path, tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE.replace("Timeout: 2", "Timeout: 60"))
    with LocalCloud(task, template=template, emulators=1, with_s3=False) as cloud:
        # AWS's 29 s would be long to wait for.
        [route] = [r for r in cloud.api.routes if r.resource == "/do/{name}" and not r.mock]
        object.__setattr__(route, "timeout", 0.5)
        headers = {"x-api-key": cloud.api_key}
        with httpx.Client(base_url=cloud.url, headers=headers, timeout=30) as client:
            before = children()
            response = order(client, "spin")
            assert response.status_code == 504
            assert response.json() == {"message": "Endpoint request timed out"}
            assert client.get("/open").status_code == 200
            assert gone(before - children())


def test_crashed_emulator_is_replaced(task: Path) -> None:
    before = children()
    with LocalCloud(task, template=task / "template.yaml", emulators=1, with_s3=False) as cloud:
        headers = {"x-api-key": cloud.api_key}
        with httpx.Client(base_url=cloud.url, headers=headers, timeout=30) as client:
            assert order(client, "echo").status_code == 200
            for pid in children() - before:
                os.kill(pid, signal.SIGKILL)
            statuses = [order(client, "echo").status_code for _ in range(2)]
    assert statuses[-1] == 200


def test_unknown_route_or_method_is_403(client: httpx.Client) -> None:
    for response in (client.get("/nothing"), client.get("/do/it"), client.delete("/open")):
        assert response.status_code == 403
        assert response.json() == {"message": "Missing Authentication Token"}
        assert response.headers["access-control-allow-origin"] == "https://example.org"


@pytest.mark.parametrize("key", ["", "wrong", "ключ"])
def test_wrong_key_is_403(client: httpx.Client, key: str) -> None:
    response = client.post("/do/it", headers={"x-api-key": key.encode()})
    assert response.status_code == 403
    assert response.json() == {"message": "Forbidden"}
    assert client.get("/open", headers={"x-api-key": key.encode()}).status_code == 200


def test_body_too_long_is_413(client: httpx.Client) -> None:
    # 10 MB is the gateway's limit, 6 MB the function's.
    for size in (10 * 1024 * 1024 + 1, 6_300_000):
        response = client.post("/do/it", content=b"x" * size)
        assert (response.status_code, response.json()) == (413, {"message": "Request Too Long"})
    assert client.post("/do/it", content=b"x" * 6_000_000).status_code in (200, 502)


def exchange(cloud: LocalCloud, request: bytes) -> tuple[bytes, bytes]:
    """Send bytes as they are; return the head and the body of the answer."""
    with socket.create_connection(("127.0.0.1", int(cloud.url.rpartition(":")[2])), 10) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


CHUNKED = b"POST /do/it HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nx-api-key: %s\r\n\r\n"


def test_chunk_of_any_size_is_413(cloud: LocalCloud, capfd: pytest.CaptureFixture[str]) -> None:
    for size in (b"A00001", b"FFFFFFFFFFFF", b"F" * 16):
        head, body = exchange(cloud, CHUNKED % cloud.api_key.encode() + size + b"\r\nx")
        assert head.startswith(b"HTTP/1.1 413 "), head
        assert json.loads(body) == {"message": "Request Too Long"}
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "chunks",
    [b"-5\r\nx", b"+1\r\nx\r\n0\r\n\r\n", b"0x1\r\nx\r\n0\r\n\r\n", b"5\r\nx", b"", b"F" * 17],
)
def test_broken_chunks_are_400(cloud: LocalCloud, chunks: bytes) -> None:
    head, body = exchange(cloud, CHUNKED % cloud.api_key.encode() + chunks)
    assert head.startswith(b"HTTP/1.1 400 "), head
    assert json.loads(body) == {"message": "Bad Request"}


@pytest.mark.parametrize("method", [b"TRACE", b"BREW", b"get"])
def test_unknown_method_is_403_in_json(cloud: LocalCloud, method: bytes) -> None:
    head, body = exchange(cloud, method + b" /open HTTP/1.1\r\nHost: x\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403 "), head
    assert b"Content-Type: application/json" in head
    assert json.loads(body) == {"message": "Missing Authentication Token"}


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET /open\tx y z HTTP/1.1\r\n\r\n",
        b"GET /open HTTP/9.9\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /open HTTP/1.1\r\n" + b"x: y\r\n" * 200 + b"\r\n",
        b"POST /do/it HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_what_is_not_http_is_400_in_json(cloud: LocalCloud, request_: bytes) -> None:
    head, body = exchange(cloud, request_)
    assert head.startswith(b"HTTP/1.1 400 "), head
    assert json.loads(body) == {"message": "Bad Request"}


def test_preflight_is_answered_from_the_template(client: httpx.Client) -> None:
    response = client.options("/do/it", headers={"x-api-key": "none needed"})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "https://example.org"
    assert response.headers["access-control-allow-methods"] == "POST"
    assert response.headers["access-control-allow-headers"] == "x-api-key"


def test_requests_at_once_run_side_by_side(client: httpx.Client) -> None:
    with ThreadPoolExecutor(9) as threads:
        answers = list(threads.map(lambda _: order(client, "pid"), range(9)))
    assert all(answer.status_code == 200 for answer in answers)
    assert len({answer.text for answer in answers}) == 3


def test_function_sees_neither_this_environment_nor_its_packages(cloud: LocalCloud) -> None:
    seen = json.loads(cloud.invoke(b'{"call": "seen"}').payload)
    assert not [path for path in seen["path"] if "site-packages" in path]
    assert seen["path"][0] == str(cloud.pool.task)
    allowed = {"PATH", "LANG", "TZ", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LC_CTYPE"}
    own = {"ORIGIN", "MODEL_BUCKET", "_HANDLER", "_X_AMZN_TRACE_ID"}
    strange = {
        name
        for name in seen["environment"].keys() - allowed - own
        if not name.startswith(("AWS_", "LAMBDA_"))
    }
    assert not strange
    assert seen["environment"]["ORIGIN"] == "https://example.org"
    assert seen["environment"]["MODEL_BUCKET"] == ""


def test_everything_listens_on_loopback_only(cloud: LocalCloud, client: httpx.Client) -> None:
    order(client, "echo")
    inodes = set()
    for pid in {*children(), os.getpid()}:
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                inodes.add(str(link.readlink()))
            except OSError:
                continue
    lines = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    listening = [row[1] for row in lines if row[3] == "0A" and f"socket:[{row[9]}]" in inodes]
    assert len(listening) >= 3
    assert {address.partition(":")[0] for address in listening} == {"0100007F"}


def test_nothing_is_left_after_the_end_or_a_failure(task: Path) -> None:
    before = children()
    with (
        pytest.raises(RuntimeError),
        LocalCloud(task, template=task / "template.yaml", emulators=2) as cloud,
    ):
        httpx.post(f"{cloud.url}/do/it", headers={"x-api-key": cloud.api_key})
        started = children() - before
        ports = [int(cloud.url.rpartition(":")[2]), cloud.s3.port]
        raise RuntimeError
    assert len(started) == 4  # S3, two emulators, one of them with its function
    assert gone(started)
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_failing_start_leaves_nothing(task: Path) -> None:
    before = children()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        template = task / "template.yaml"
        with pytest.raises(StartError, match=f"port {port}"):
            LocalCloud(task, template=template, port=port, with_s3=False).__enter__()
    assert gone(children() - before)


PARENT = """
import os, signal, sys, time
from pathlib import Path
from scripts.local_cloud import LocalCloud
# A shell has what it runs in the background ignore SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)
task = Path(sys.argv[1])
with LocalCloud(task, template=task / "template.yaml", emulators=1) as cloud:
    print(cloud.url, cloud.api_key, flush=True)
    cloud.invoke(b'{"multiValueHeaders": {"x-do": ["spin"]}}')
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_a_parent_that_is_killed(task: Path, number: signal.Signals) -> None:
    if number == signal.SIGKILL and not die_with_parent():
        pytest.skip("setpriv is not installed")
    before = children()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    template = (task / "template.yaml").read_text()
    other = task / "slow"
    other.mkdir(exist_ok=True)
    (other / "app.py").write_text(HANDLER)
    (other / "template.yaml").write_text(template.replace("Timeout: 2", "Timeout: 100"))
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(other)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline()
        give_up = time.monotonic() + 30
        # The parent, S3, the emulator, the function
        while len(started := children() - before) < 4:
            assert time.monotonic() < give_up, started
            time.sleep(0.05)
        time.sleep(0.5)  # into the function's endless loop
        parent.send_signal(number)
        parent.wait(15)
    assert gone(started)


def test_python_of_another_version_is_refused(task: Path, tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE.replace("python3.13", "python3.12"))
    with pytest.raises(StartError, match=r"python3\.12"):
        LocalCloud(task, template=template, with_s3=False).__enter__()


def test_template_resolves_parameters(task: Path) -> None:
    deployment = load(task / "template.yaml", {"Origin": "https://other.example"})
    function = deployment.functions["ScoreFunction"]
    assert function.environment["ORIGIN"] == "https://other.example"
    assert (function.timeout, function.memory, function.runtime) == (2, 256, "python3.13")
    assert set(deployment.openapi["paths"]) == {"/do/{name}", "/do/fixed", "/open"}
