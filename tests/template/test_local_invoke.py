"""`sam local invoke -e events/sonar.json` with no network and no S3: the packaged models answer.

And `sam local invoke GateFunction -e events/upload.json`, which needs the bucket of the event.

The command itself runs, samconfig.toml and all, up to where it would start a container; from there
AWS's emulator runs the built function with the environment that sam worked out for the container.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from samcli.yamlhelper import yaml_dump
from samtranslator.yaml_helper import yaml_parse

from scripts.build import ROOT
from scripts.local_cloud.events import BUCKET
from scripts.local_cloud.s3 import LocalS3

# What sam itself needs to find its way; nothing of AWS.
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "PYTHONPATH": f"{ROOT}:{Path(__file__).parent}",
    "SAM_CLI_TELEMETRY": "0",
    "AWS_EC2_METADATA_DISABLED": "true",  # sam looks for credentials there, through the proxy
    "HTTP_PROXY": "http://127.0.0.1:9",  # nothing listens there
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1",
}


@cache
def no_network() -> tuple[str, ...]:
    """Command that gives a program a network of its own, with a loopback and nothing else.

    Empty where the system grants no such namespace; the dead proxies are all there is then.
    """
    isolate = ("unshare", "--map-root-user", "--net", "sh", "-c")
    wrap = (*isolate, 'ip link set lo up && exec "$@"', "sh")
    if not (shutil.which("unshare") and shutil.which("ip")):
        return ()
    works = subprocess.run([*wrap, "true"], capture_output=True, check=False).returncode == 0
    return wrap if works else ()


@pytest.fixture(scope="module")
def project(artefact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project after `sam build`: sam looks for its files where it is started."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("template.yaml", "samconfig.toml", "local-env.json"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "events", folder / "events")
    (folder / ".aws-sam").mkdir()
    (folder / ".aws-sam/build").mkdir()
    # Only one function was built; sam build leaves the same artefact in two folders.
    template = yaml_parse((artefact.parent / "template.yaml").read_text())
    for name in ("ScoreFunction", "GateFunction"):
        template["Resources"][name]["Properties"]["CodeUri"] = name
        (folder / ".aws-sam/build" / name).symlink_to(artefact)
    (folder / ".aws-sam/build/template.yaml").write_text(yaml_dump(template))
    return folder


def sam_local_invoke(
    project: Path, tmp_path: Path, *arguments: str, s3: str = ""
) -> dict[str, Any]:
    """Run the command; return what the function answered and the environment that it saw.

    Without a network, unless there is an `s3`.
    """
    report = tmp_path / "report.json"
    run = subprocess.run(
        [
            *(() if s3 else no_network()),
            *(sys.executable, "-W", "ignore", "-m", "sam_without_docker", str(report)),
            *("local", "invoke", *arguments),
        ],
        cwd=project,
        env={**ENVIRONMENT, "HOME": str(tmp_path)} | ({"AWS_ENDPOINT_URL_S3": s3} if s3 else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return dict(json.loads(report.read_text()))


def test_the_sample_event_is_answered_offline(project: Path, tmp_path: Path) -> None:
    found = sam_local_invoke(project, tmp_path, "-e", "events/sonar.json")
    answer = json.loads(found["answer"])
    assert answer["statusCode"] == 200, answer
    headers = {name.lower(): values for name, values in answer["multiValueHeaders"].items()}
    assert headers["x-model-name"] == ["sonar"]
    assert headers["x-model-version"][0].startswith("packaged-")
    assert json.loads(answer["body"]) in ("M", "R")


def test_no_bucket_is_configured(project: Path, tmp_path: Path) -> None:
    """Without samconfig.toml sam passes the bucket's logical name, as if it were a bucket."""
    found = sam_local_invoke(project, tmp_path, "-e", "events/hello.json")
    assert found["environment"]["MODEL_BUCKET"] == ""
    assert found["environment"]["AWS_SAM_LOCAL"] == "true"
    assert json.loads(json.loads(found["answer"])["body"]) == 103.14


def test_an_unknown_model_is_a_plain_404_offline(project: Path, tmp_path: Path) -> None:
    event = json.loads((project / "events/hello.json").read_text())
    event["path"] = "/models/no-such-model/score"
    event["pathParameters"] = {"name": "no-such-model"}
    (project / "events/unknown.json").write_text(json.dumps(event))
    found = sam_local_invoke(project, tmp_path, "-e", "events/unknown.json")
    assert json.loads(found["answer"])["statusCode"] == 404


def test_the_gate_settles_the_upload_of_the_sample_event(project: Path, tmp_path: Path) -> None:
    s3 = LocalS3(tmp_path / "s3.log")
    s3.start()
    try:
        s3.wait()
        s3.create_bucket(BUCKET)
        key = json.loads((project / "events/upload.json").read_text())["detail"]["object"]["key"]
        s3.client.put_object(Bucket=BUCKET, Key=key, Body=(ROOT / key).read_bytes())
        command = ("GateFunction", "-e", "events/upload.json")
        found = sam_local_invoke(project, tmp_path, *command, s3=s3.url)
        (report,) = json.loads(found["answer"])["reports"]
        assert report["verdict"] == "promoted", report["text"]
        live = s3.client.get_object(Bucket=BUCKET, Key=key.replace("models/", "live/"))
        assert live["Body"].read() == (ROOT / key).read_bytes()
    finally:
        s3.stop()


def test_the_overrides_are_of_variables_that_the_template_sets(
    expanded: Callable[..., dict[str, Any]],
) -> None:
    """sam ignores an override of a variable that the template does not have."""
    overrides = json.loads((ROOT / "local-env.json").read_text())
    for function, variables in overrides.items():
        given = expanded()["Resources"][function]["Properties"]["Environment"]["Variables"]
        assert variables.keys() <= given.keys()


def test_the_network_is_really_gone() -> None:
    """What the tests above rely on, where the system lets them."""
    if not no_network():
        pytest.skip("no network namespaces here")
    code = "import socket; socket.create_connection(('192.0.2.1', 443), timeout=5)"
    run = subprocess.run(
        [*no_network(), sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "Network is unreachable" in run.stderr
