"""An upload against a bucket of moto's and the real checks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

import pfa
from bucket import ROUTES_SUFFIX, Bucket, BucketError, report_key
from gate import bounds, promote
from gate.promote import Gate, OutOfTimeError
from gate.verdict import Limits, Verdict
from pfa.deadline import DeadlineExceeded
from tests.moto_s3 import created


def adder(number: float, kind: str = "double", **more: object) -> bytes:
    """A document whose answer is its input plus `number`, with an example."""
    examples = [{"input": 1, "expected": 1 + number}]
    return json.dumps(
        {
            "input": kind,
            "output": "double",
            "action": {"+": ["input", number]},
            "metadata": {"examples": json.dumps(examples)},
            **more,
        }
    ).encode()


@pytest.fixture
def s3() -> Iterator[Bucket]:
    with mock_aws():
        yield created(Bucket("models", max_bytes=100_000))


def gate(bucket: Bucket, seconds: float = 300.0, **limits: Any) -> Gate:
    return Gate(bucket, Limits(**limits), lambda: seconds)


def upload(bucket: Bucket, body: bytes, suffix: str = ".pfa") -> str:
    return bucket.put_object(f"models/hello{suffix}", body)


def report(bucket: Bucket, version: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bucket.get(report_key("hello", version)).body)
    return found


def test_what_passes_goes_live_as_it_is_with_its_artifact(s3):
    body = adder(1)
    version = upload(s3, body)
    (made,) = promote.promote(gate(s3), "hello")
    live = s3.get("live/hello.pfa")
    assert live.body == body
    assert live.metadata == {
        "sha256": hashlib.sha256(body).hexdigest(),
        "source-version": version,
        "engine": pfa.VERSION,
        "examples": "1",
        "largest-error": "0.0",
        "artifact-key": pfa.artifact_key(),
        "artifact-version": s3.head("live/hello.artifact").version,
    }
    artifact = s3.get("live/hello.artifact", live.metadata["artifact-version"])
    assert pfa.load_artifact(artifact.body).score(2) == 3.0
    assert report(s3, version) == made
    assert made["model"] == "hello"
    assert made["verdict"] == "promoted"
    assert made["live"] == live.version
    assert made["sha256"] == live.metadata["sha256"]
    assert made["engine"] == pfa.VERSION
    assert made["upload"].items() >= {"version": version, "size": len(body)}.items()
    assert made["upload"]["key"] == "models/hello.pfa"
    assert made["time"].endswith("Z")
    assert {it["status"] for it in made["findings"]} == {"passed"}
    assert made["text"].endswith("PASSED")


@pytest.mark.parametrize(
    ("body", "check"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b'{"input": "double", "input": "int"}', "json"),
        (b'{"input": "double", "output": "double", "action": {"nope": []}}', "pfa"),
        (adder(1, "string"), "pfa"),
        (adder(1, metadata={"examples": '[{"input": 1, "expected": 5}]'}), "examples"),
        (b" " * 100_001, "size"),
    ],
)
def test_what_fails_leaves_live_as_it_is(s3, body, check):
    upload(s3, adder(1))
    promote.promote(gate(s3), "hello")
    before = s3.head("live/hello.pfa"), s3.head("live/hello.artifact")
    version = upload(s3, body)
    promote.promote(gate(s3, max_mb=0.1), "hello")
    made = report(s3, version)
    assert made["verdict"] == "rejected"
    assert made["live"] is None
    assert [it["check"] for it in made["findings"] if it["status"] == "failed"] == [check]
    assert (s3.head("live/hello.pfa"), s3.head("live/hello.artifact")) == before


def test_an_upload_is_compared_with_what_is_live(s3):
    upload(s3, adder(1))
    promote.promote(gate(s3), "hello")
    narrower = adder(2, "int")
    version = upload(s3, narrower)
    promote.promote(gate(s3), "hello")
    failed = [it for it in report(s3, version)["findings"] if it["status"] == "failed"]
    assert [it["check"] for it in failed] == ["schema"]
    upload(s3, narrower)
    promote.promote(gate(s3, allow_breaking=True), "hello")
    assert s3.get("live/hello.pfa").body == narrower


def test_a_live_document_that_cannot_be_loaded_can_be_replaced(s3):
    s3.put("hello", b"not even JSON")
    version = upload(s3, adder(1))
    promote.promote(gate(s3), "hello")
    assert s3.get("live/hello.pfa").body == adder(1)
    warnings = [it for it in report(s3, version)["findings"] if it["status"] == "warning"]
    assert "cannot be loaded" in warnings[0]["message"]


def test_the_same_bytes_twice_make_no_version(s3):
    for word in ("promoted", "unchanged"):
        version = upload(s3, adder(1))
        promote.promote(gate(s3), "hello")
        assert report(s3, version)["verdict"] == word
    assert len(s3.versions("hello")) == 1
    assert promote.promote(gate(s3), "hello") == []


def test_the_same_bytes_get_an_artifact_of_another_engine(s3, monkeypatch):
    """After an update of the stack, which loads the document where the artifact is another's."""
    for word in ("promoted", "promoted", "unchanged"):
        version = upload(s3, adder(1))
        promote.promote(gate(s3), "hello")
        assert report(s3, version)["verdict"] == word
        live = s3.head("live/hello.pfa")
        assert live.metadata["artifact-key"] == pfa.artifact_key()
        monkeypatch.setattr(pfa, "artifact_key", lambda: "another")
    assert live.metadata["source-version"] != version
    assert len(s3.versions("hello")) == 2


def test_nothing_is_done_without_an_upload(s3):
    assert promote.promote(gate(s3), "hello") == []
    upload(s3, adder(1))
    s3.delete("models/hello.pfa")
    assert promote.promote(gate(s3), "hello") == []
    assert s3.head("live/hello.pfa") is None


def test_routes_go_the_same_way(s3):
    upload(s3, adder(1))
    promote.promote(gate(s3), "hello")
    canary = s3.head("live/hello.pfa").version
    good = json.dumps({"canary": {"version": canary, "share": 0.1}}).encode()
    first = upload(s3, good, ROUTES_SUFFIX)
    promote.promote(gate(s3), "hello", ROUTES_SUFFIX)
    assert report(s3, first)["verdict"] == "promoted"
    assert report(s3, first)["upload"]["key"] == "models/hello.routes.json"
    live = s3.get("live/hello.routes.json")
    assert (live.body, live.metadata["artifact-version"]) == (good, "")
    for bad in (b"{", b'{"shadows": [{"version": "gone"}]}', b'{"shadows": [{"version": "../x"}]}'):
        version = upload(s3, bad, ROUTES_SUFFIX)
        promote.promote(gate(s3), "hello", ROUTES_SUFFIX)
        assert report(s3, version)["verdict"] == "rejected"
    assert s3.get("live/hello.routes.json").body == good


def test_an_upload_that_takes_too_long_is_refused(s3, monkeypatch):
    def check(*_: object) -> Verdict:
        while True:
            pass

    monkeypatch.setattr(bounds, "check_document", check)
    version = upload(s3, adder(1))
    promote.promote(gate(s3, 0.2), "hello")
    assert "could not be checked in time" in report(s3, version)["text"]
    assert s3.head("live/hello.pfa") is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "more memory"),
        (RecursionError(), "gate itself"),
        (DeadlineExceeded(), "in time"),
    ],
)
def test_what_a_check_should_not_raise_is_a_verdict(s3, monkeypatch, error, words):
    def check(*_: object) -> Verdict:
        raise error

    monkeypatch.setattr(bounds, "check_document", check)
    version = upload(s3, adder(1))
    promote.promote(gate(s3), "hello")
    assert words in report(s3, version)["text"]


def test_s3_that_fails_is_no_verdict(s3, monkeypatch):
    version = upload(s3, adder(1))

    def fail(*_: object, **__: object) -> str:
        raise BucketError("S3 does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(s3, "put_object", fail)
        with pytest.raises(BucketError):
            promote.promote(gate(s3), "hello")
    assert s3.head(report_key("hello", version)) is None
    promote.promote(gate(s3), "hello")
    assert report(s3, version)["verdict"] == "promoted"


def test_a_second_check_is_begun_with_time_only(s3, monkeypatch):
    upload(s3, adder(1))
    left = [300.0]
    check = bounds.check_document

    def slow(body: bytes, *more: Any) -> Verdict:
        left[0] -= 200
        if body == adder(1):
            upload(s3, adder(2))
        return check(body, *more)

    monkeypatch.setattr(bounds, "check_document", slow)
    with pytest.raises(OutOfTimeError):
        promote.promote(Gate(s3, Limits(), lambda: left[0]), "hello")
    left[0] = 300.0
    promote.promote(Gate(s3, Limits(), lambda: left[0]), "hello")
    assert s3.get("live/hello.pfa").body == adder(2)
