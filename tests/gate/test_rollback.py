"""Going back to an older live version, and taking a model off."""

from __future__ import annotations

import json
from typing import Any

import pytest

import pfa
from bucket import ConflictError, report_key
from gate import bounds, rollback
from gate.promote import Gate, promote
from gate.verdict import Limits
from tests.gate.buckets import HookedMemory


def adder(number: float, **more: object) -> bytes:
    return json.dumps(
        {"input": "double", "output": "double", "action": {"+": ["input", number]}, **more}
    ).encode()


@pytest.fixture
def bucket() -> HookedMemory:
    return HookedMemory()


def gate(bucket: HookedMemory, **limits: Any) -> Gate:
    return Gate(bucket, Limits(**limits), lambda: 300.0)


def roll(bucket: HookedMemory, *bodies: bytes) -> list[str]:
    """Upload documents, one after the other; return their live versions."""
    versions = []
    for body in bodies:
        bucket.put_object("models/m.pfa", body)
        promote(gate(bucket, allow_breaking=True), "m")
        versions.append(bucket.head("live/m.pfa").version)
    return versions


def test_back_to_the_version_before(bucket):
    one, two = roll(bucket, adder(1), adder(2))
    source = bucket.head("live/m.pfa", one).metadata["source-version"]
    done = rollback.rollback(gate(bucket), "m")
    live = bucket.get("live/m.pfa")
    assert live.body == adder(1)
    assert done["done"]
    assert (done["live"], done["to"], done["from"]) == (live.version, one, two)
    for part in (one, two, live.version, "Model m is back at the document of 2024-01-01T"):
        assert part in done["message"]
    metadata = live.metadata
    assert (metadata["rolled-back-to"], metadata["rolled-back-from"]) == (one, two)
    assert metadata["source-version"] == source
    artifact = bucket.get("live/m.artifact", metadata["artifact-version"]).body
    assert pfa.load_artifact(artifact).score(1) == 2.0


def test_rolled_back_twice_it_goes_back_twice(bucket):
    roll(bucket, adder(1), adder(2), adder(2, doc="same"), adder(3))
    for expected in (adder(2, doc="same"), adder(2), adder(1)):
        assert rollback.rollback(gate(bucket), "m")["done"]
        assert bucket.get("live/m.pfa").body == expected
    done = rollback.rollback(gate(bucket), "m")
    assert not done["done"]
    assert "no older version" in done["message"]
    roll(bucket, adder(4))
    assert rollback.rollback(gate(bucket), "m")["done"]
    assert bucket.get("live/m.pfa").body == adder(1)


def test_to_a_version_that_is_named(bucket):
    one, _, three = roll(bucket, adder(1), adder(2), adder(3))
    assert rollback.rollback(gate(bucket), "m", one)["to"] == one
    assert bucket.get("live/m.pfa").body == adder(1)
    assert rollback.rollback(gate(bucket), "m", three)["to"] == three  # and on again
    assert bucket.get("live/m.pfa").body == adder(3)
    for version in (three, bucket.head("live/m.pfa").version):
        assert "live already" in rollback.rollback(gate(bucket), "m", version)["message"]
    for version in ("v999", "", "../v1", "a b"):
        done = rollback.rollback(gate(bucket), "m", version)
        assert done == {
            "done": False,
            "model": "m",
            "message": "Nothing was changed: the model has no such live version.",
        }


def test_nothing_to_go_back_to(bucket):
    assert "was ever live" in rollback.rollback(gate(bucket), "m")["message"]
    roll(bucket, adder(1))
    assert "no older version" in rollback.rollback(gate(bucket), "m")["message"]


def test_a_version_that_fails_todays_checks_is_refused(bucket):
    _, two = roll(bucket, adder(1), adder(2))
    done = rollback.rollback(gate(bucket, min_examples=1), "m")
    assert not done["done"]
    assert "fails today's checks" in done["message"]
    assert [it["check"] for it in done["findings"] if it["status"] == "failed"] == ["examples"]
    assert "FAILED" in done["text"]
    assert bucket.head("live/m.pfa").version == two


def test_a_live_model_that_is_too_large_by_now_is_left(bucket):
    roll(bucket, adder(1), adder(2, doc="large" * 1000))
    bucket.max_bytes = 1000
    assert rollback.rollback(gate(bucket), "m")["done"]
    assert bucket.get("live/m.pfa").body == adder(1)


def test_a_version_that_is_too_large_by_now_is_refused(bucket):
    _, two = roll(bucket, adder(1, doc="large" * 1000), adder(2))
    bucket.max_bytes = 1000
    done = rollback.rollback(gate(bucket, max_mb=0.001), "m")
    assert "fails today's checks" in done["message"]
    assert "0.00508 MB are more than 0.001 MB" in done["text"]
    assert bucket.head("live/m.pfa").version == two


def test_schemas_do_not_keep_a_model_from_going_back(bucket):
    text = json.dumps({"input": "string", "output": "string", "action": "input"}).encode()
    roll(bucket, adder(1), text)
    done = rollback.rollback(gate(bucket), "m")
    assert done["done"]
    assert {it["check"]: it["status"] for it in done["findings"]}["schema"] == "warning"


def test_an_upload_that_goes_live_meanwhile(bucket, monkeypatch):
    roll(bucket, adder(1), adder(2))
    compare = bounds.compare

    def during(*given: Any) -> Any:
        monkeypatch.setattr(rollback, "compare", compare)
        roll(bucket, adder(3))
        return compare(*given)

    monkeypatch.setattr(rollback, "compare", during)
    assert rollback.rollback(gate(bucket), "m")["done"]
    assert bucket.get("live/m.pfa").body == adder(2)  # from the third, which is what is live now


def test_a_rollback_that_never_gets_its_turn(bucket, monkeypatch):
    roll(bucket, adder(1), adder(2))
    put = bucket.put_object

    def conflict(key, body, metadata=None, only_over=None):
        if key == "live/m.pfa":
            raise ConflictError
        return put(key, body, metadata, only_over)

    monkeypatch.setattr(bucket, "put_object", conflict)
    assert "Try again" in rollback.rollback(gate(bucket), "m")["message"]


def test_a_write_of_which_the_answer_was_lost_is_not_done_twice(bucket, monkeypatch):
    roll(bucket, adder(0), adder(1), adder(2))
    put = bucket.put_object

    def lossy(key, body, metadata=None, only_over=None):
        version = put(key, body, metadata, only_over)
        if key == "live/m.pfa":
            raise ConflictError
        return version

    monkeypatch.setattr(bucket, "put_object", lossy)
    done = rollback.rollback(gate(bucket), "m")
    assert done["done"]
    assert bucket.get("live/m.pfa").body == adder(1)
    assert done["live"] == bucket.head("live/m.pfa").version


def test_what_else_may_change_the_answers_is_said(bucket):
    roll(bucket, adder(1), adder(2))
    version = bucket.put_object("models/m.pfa", adder(3))
    bucket.put_object("live/m.routes.json", b"{}")
    message = rollback.rollback(gate(bucket), "m")["message"]
    assert f"version {version}) has no verdict yet" in message
    assert "routes (canary, shadows) stay" in message


def test_remove(bucket):
    assert not rollback.remove(gate(bucket), "m")["done"]
    (one,) = roll(bucket, adder(1))
    bucket.put_object("live/m.routes.json", b"{}")
    done = rollback.remove(gate(bucket), "m")
    assert done["done"]
    assert one in done["message"]
    assert bucket.head("live/m.pfa") is bucket.head("live/m.routes.json") is None
    again = rollback.remove(gate(bucket), "m")
    assert again["message"] == "Nothing was changed: no model of this name is live."
    assert rollback.rollback(gate(bucket), "m")["done"]
    assert bucket.get("live/m.pfa").body == adder(1)


def test_a_report_that_a_dead_gate_did_not_make_is_made_first(bucket):
    roll(bucket, adder(1), adder(2))
    version = bucket.head("models/m.pfa").version
    del bucket.objects[report_key("m", version)]
    rollback.rollback(gate(bucket), "m")
    report = json.loads(bucket.get(report_key("m", version)).body)
    assert report["verdict"] == "promoted"
    assert "was lost" in report["text"]
