"""The table of `make live`, from a bucket of moto's that the real gate wrote."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator

import pytest
from moto import mock_aws

import telemetry
from bucket import Bucket
from gate.promote import Gate, promote
from gate.rollback import remove, rollback
from gate.verdict import Limits
from scripts import live
from scripts.stack import ROOT
from tests.moto_s3 import created, set_credentials


def adder(number: float) -> bytes:
    examples = json.dumps([{"input": 1, "expected": 1 + number}])
    document = {"input": "double", "output": "double", "action": {"+": ["input", number]}}
    return json.dumps({**document, "metadata": {"examples": examples}}).encode()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    set_credentials(monkeypatch)
    monkeypatch.setenv("MODEL_BUCKET", "models")
    with mock_aws():
        yield created(Bucket("models"))
    telemetry.metrics.provider.clear_metrics()


def gate(bucket: Bucket) -> Gate:
    return Gate(bucket, Limits(), lambda: 300.0)


def upload(bucket: Bucket, name: str, body: bytes, settle: bool = True) -> str:
    version = bucket.put_object(f"models/{name}.pfa", body)
    if settle:
        promote(gate(bucket), name)
    return version


def test_the_table(s3, capsys):
    first = upload(s3, "a", adder(1))
    upload(s3, "a", b"{")
    back = upload(s3, "b", adder(1))
    upload(s3, "b", adder(2))
    rollback(gate(s3), "b")
    upload(s3, "c", b"{")
    upload(s3, "d", adder(1), settle=False)
    upload(s3, "e", adder(1))
    remove(gate(s3), "e")
    s3.put_object("models/no model.pfa", b"")
    capsys.readouterr()
    assert live.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("  ")[0] == "MODEL"
    cells = {line.split()[0]: line for line in lines[1:6]}
    assert [*cells] == ["a", "b", "c", "d", "e"]
    assert s3.head("live/a.pfa").version in cells["a"]
    assert f" {first} " in cells["a"]
    assert " 1 " in cells["a"]  # example
    assert "rejected, 20" in cells["a"]
    assert f"{back} (rolled back)" in cells["b"]
    assert "promoted, 20" in cells["b"]
    assert cells["c"].split()[:5] == ["c", "-", "-", "-", "-"]
    assert "none yet, 20" in cells["d"]
    assert cells["e"].split()[:5] == ["e", "-", "-", "-", "-"]
    why = [line for line in lines[6:] if line]
    assert [line.split(":")[0] for line in why] == ["a", "c"]
    assert "the last upload is not live. json: " in why[0]


def test_an_empty_bucket(s3, capsys):
    assert live.main() == 0
    assert capsys.readouterr().out == "There are no models.\n"


def test_a_bucket_that_is_not_there(s3, monkeypatch, capsys):
    monkeypatch.setenv("MODEL_BUCKET", "elsewhere")
    assert live.main() == 1
    assert capsys.readouterr().err.startswith("error: S3 refuses: 404")


def test_make_leaves_the_region_to_the_user():
    """One of the environment would come before that of ~/.aws/config, where the stack is."""
    environment = {k: v for k, v in os.environ.items() if k != "AWS_DEFAULT_REGION"}
    rule = 'region:; @echo "<$$AWS_DEFAULT_REGION>"'
    done = subprocess.run(
        ["make", "--no-print-directory", "--eval", rule, "region"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "<>\n"
