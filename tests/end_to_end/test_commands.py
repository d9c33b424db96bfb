"""`make demo` and `make serve`, as a newcomer runs them."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from scripts.local_cloud import ROOT

pytestmark = [pytest.mark.end_to_end, pytest.mark.usefixtures("artefact")]


@contextmanager
def started(module: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run a module as `make` does; kill it if the test ends before it."""
    with subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], word: str) -> str:
    """Read the output up to the line that holds `word`."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if word in line:
            return text
    raise AssertionError(f"{text}\n{process.stderr.read() if process.stderr else ''}")


def session_of(pid: int) -> set[int]:
    """All processes below `pid`."""
    found, waiting = set(), [pid]
    while waiting:
        for path in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            children = {int(child) for child in path.read_text().split()}
            waiting += children
            found |= children
    return found


def still_running(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}/cmdline").exists()}


def wait_for_end(pids: set[int]) -> None:
    give_up = time.monotonic() + 10
    while still_running(pids):
        assert time.monotonic() < give_up, still_running(pids)
        time.sleep(0.05)


def test_demo_prints_answers_beside_those_of_r() -> None:
    with started("scripts.demo") as process:
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, output + errors
    assert errors == ""
    assert re.search(r'answer +"R"\n +R says +"R"\n', output)
    for name in ("credit", "hello", "kdd99", "real_estate", "sonar"):
        row = re.search(rf"^ +{name} +(\S+) +\d+ ms +[\d.]+ ms +(\d+)/(\d+)  ", output, re.M)
        assert row is not None, output
        assert row[2] == row[3] != "0"
    for name in ("build", "S3", "Lambda", "API", "upload", "gate", "score"):
        assert re.search(rf"^  .*{name}.*\.\.\. +[\d.]+ s$", output, re.M), output


def hello(add: int, metadata: dict[str, str] | None = None) -> bytes:
    """The hello model, made to add `add` instead of 100, with an example of that."""
    document = json.loads((ROOT / "models" / "hello.pfa").read_bytes())
    document["action"] = {"+": ["input", add]}
    cases: list[dict[str, Any]] = json.loads(document["metadata"]["examples"])[:1]
    for case in cases:
        case["expected"] = case["input"] + add
    document["metadata"] |= {"examples": json.dumps(cases)} | (metadata or {})
    return json.dumps(document).encode()


def wrong_hello(metadata: dict[str, str]) -> bytes:
    """The hello model with the example of another one."""
    document = json.loads(hello(101, metadata))
    document["action"] = {"+": ["input", 100]}
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({}, r"the gate refused hello:[\s\S]*failed +examples"),
        ({"tolerance": "0.5"}, "not as expected: hello"),  # the gate is told to take it
    ],
)
def test_demo_fails_when_an_answer_is_not_as_expected(
    tmp_path: Path, metadata: dict[str, str], told: str
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    for path in (ROOT / "models").glob("*.pfa"):
        (models / path.name).write_bytes(path.read_bytes())
    (models / "hello.pfa").write_bytes(wrong_hello(metadata))
    program = (
        "import runpy, scripts.sample_cloud as cloud; from pathlib import Path;"
        f"cloud.MODELS = Path({str(models)!r});"
        "runpy.run_module('scripts.demo', run_name='__main__')"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 1
    assert re.search(told, run.stderr), run.stderr
    assert "Traceback" not in run.stderr


def wait_for_reports(output: str, model: str, count: int) -> None:
    """Return when the gate has reported `count` uploads, by the variables that serve printed."""
    pairs = re.findall(r"([A-Z0-9_]+)=(\S+)", "".join(re.findall("export .*", output)))
    told = dict(pairs)
    client = boto3.client(
        "s3",
        endpoint_url=told["AWS_ENDPOINT_URL_S3"],
        region_name=told["AWS_DEFAULT_REGION"],
        aws_access_key_id=told["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=told["AWS_SECRET_ACCESS_KEY"],
    )
    give_up = time.monotonic() + 30
    prefix = f"reports/{model}/"
    while client.list_objects_v2(Bucket=told["BUCKET"], Prefix=prefix)["KeyCount"] < count:
        assert time.monotonic() < give_up
        time.sleep(0.1)
    client.close()


def test_serve_prints_commands_that_work_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    with started("scripts.serve") as process:
        output = read_until(process, "Ctrl-C")
        below = session_of(process.pid)
        url = re.search(r"URL +(http://127\.0\.0\.1:\d+)\n", output)
        assert url is not None
        commands = [line.strip() for line in output.splitlines() if line.strip().startswith("curl")]
        assert len(commands) >= 3
        [roll] = [command for command in commands if " -T " in command]
        assert "/models/hello.pfa" in roll
        (tmp_path / "models").mkdir()
        (tmp_path / "models" / "hello.pfa").write_bytes(hello(200))
        subprocess.run(shlex.split(roll), cwd=tmp_path, check=True)  # before hello was loaded
        wait_for_reports(output, "hello", 2)
        answers = {
            command: subprocess.run(
                shlex.split(command), cwd=ROOT, capture_output=True, text=True, check=True
            ).stdout
            for command in commands
            if command != roll
        }
        [answer] = [answer for command, answer in answers.items() if "hello/score" in command]
        assert answer == "203.14"
        assert all("status" not in answer for answer in answers.values())
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 130
    assert len(below) >= 6  # S3, four emulators, and that of the gate
    wait_for_end(below)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(url[1].rpartition(":")[2]))) != 0


def test_serve_stops_everything_on_sigterm() -> None:
    with started("scripts.serve") as process:
        read_until(process, "Ctrl-C")
        below = session_of(process.pid)
        process.terminate()
        assert process.wait(15) == 128 + signal.SIGTERM
    wait_for_end(below)


def test_interrupted_start_leaves_nothing() -> None:
    with started("scripts.serve") as process:
        while not session_of(process.pid):
            time.sleep(0.02)
        time.sleep(0.3)
        below = session_of(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 130
        _, errors = process.communicate()
        assert "Traceback" not in errors
    wait_for_end(below)


def test_interrupted_build_leaves_nothing(tmp_path: Path) -> None:
    program = (
        "import scripts.build as build, scripts.sample_cloud as cloud, pathlib;"
        f"build.BUILDS = pathlib.Path({str(tmp_path)!r});"
        "cloud.run(lambda: print(build.build()) or 0)"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) as process:
        give_up = time.monotonic() + 60
        while len(below := session_of(process.pid)) < 2:  # sam, and the make that it starts
            assert time.monotonic() < give_up
            time.sleep(0.01)
        process.terminate()
        assert process.wait(15) == 128 + signal.SIGTERM
    wait_for_end(below)


def test_serve_says_that_its_port_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with started("scripts.serve", PORT=port) as process:
            output, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"port {port}" in errors
    assert "Traceback" not in output + errors
