"""Models from artifacts: taken where they fit, never at the price of an answer."""

import json
import threading

import pytest

import pfa
from bucket import Bucket, make_client, objects
from pfa.deadline import DeadlineExceeded, deadline
from score import loading, slot, store
from score.loading import WholeNeeded
from score.slot import UnavailableError
from score.store import ModelStore
from scripts.make_forest import forest, predict, rows
from tests.score.conftest import Client, Clock, Context, CountingBucket, adder, facts, promote
from tests.score.faulty_s3 import FaultyS3

STATE = json.dumps(
    {
        "input": "double",
        "output": "double",
        "cells": {"n": {"type": "double", "init": 1}},
        "action": {
            "cell": "n",
            "to": {"params": [{"x": "double"}], "ret": "double", "do": {"+": ["x", "input"]}},
        },
    }
).encode()


@pytest.fixture
def printed(
    monkeypatch: pytest.MonkeyPatch, call: Client, capsys: pytest.CaptureFixture[str]
) -> pytest.CaptureFixture[str]:
    return capsys


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in capsys.readouterr().out.splitlines():
        for group in json.loads(line).get("_aws", {}).get("CloudWatchMetrics", []):
            for metric in group["Metrics"]:
                found[metric["Name"]] = found.get(metric["Name"], 0) + 1
    return found


def no_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("a document was loaded")

    monkeypatch.setattr(pfa, "load", fail)


def test_an_artifact_is_taken_in_place_of_the_document(
    models: ModelStore, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = promote(s3, "hello", adder(1))
    bodies = (adder(2), adder(3))
    ready = [(body, pfa.load(body).to_artifact()) for body in bodies]
    no_documents(monkeypatch)
    entry = models.get("hello")
    assert (entry.model.score(0.0), entry.version, entry.stale) == (1.0, first, False)
    assert entry.model.sha256 == facts(adder(1))["sha256"]
    assert not loading.is_whole(entry.model)
    for number, (body, artifact) in enumerate(ready, 2):
        version = promote(s3, "hello", body, artifact)
        clock.now += 60
        entry = models.get("hello")
        assert (entry.model.score(0.0), entry.version) == (number, version)


def test_the_artifact_is_that_of_the_version_and_not_the_newest(
    models: ModelStore, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(s3, "hello", adder(1))
    s3.put_object("live/hello.artifact", pfa.load(adder(2)).to_artifact())  # of a gate that died
    no_documents(monkeypatch)
    assert models.get("hello").model.score(0.0) == 1.0


def test_the_body_of_a_large_document_is_not_read(
    models: ModelStore, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    own = objects.read_body
    monkeypatch.setattr(objects, "read_body", lambda **more: read.append(own(**more)) or read[-1])
    body = adder(1, doc="x" * objects.SMALL_BYTES)
    promote(s3, "hello", body)
    entry = models.get("hello")
    assert entry.model.score(0.0) == 1.0
    assert [len(piece) for piece in read] == [len(pfa.load(body).to_artifact())]
    assert entry.document_size == len(body)


def of_another(what: str) -> bytes:
    artifact = pfa.load(adder(1)).to_artifact()
    if what == "engine":
        return artifact.replace(pfa.VERSION.encode(), b"x" * len(pfa.VERSION))
    if what == "document":
        return pfa.load(adder(2)).to_artifact()
    if what == "cut":
        return artifact[:-20]
    if what == "altered":
        return artifact[:-20] + bytes([artifact[-20] ^ 1]) + artifact[-19:]
    return {"empty": b"", "line": b"pfa-score artifact 1\n", "noise": b"\x00\xff" * 500}[what]


WRONG = ["engine", "document", "cut", "altered", "empty", "line", "noise"]


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_an_artifact_costs_no_answer(
    models: ModelStore,
    s3: CountingBucket,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    printed: pytest.CaptureFixture[str],
    what: str,
    large: bool,
) -> None:
    monkeypatch.setattr(objects, "SMALL_BYTES", 0 if large else 1000)
    promote(s3, "hello", adder(5))
    models.get("hello")
    version = promote(s3, "hello", adder(1), of_another(what))
    clock.now += 60
    printed.readouterr()
    entry = models.get("hello")
    assert (entry.model.score(0.0), entry.version, entry.stale) == (1.0, version, False)
    assert entry.model.sha256 == facts(adder(1))["sha256"]
    found = metrics(printed)
    assert found["ArtifactRefused"] == found["ModelLoaded"] == 1
    assert "RefreshFailed" not in found
    clock.now += 60
    assert models.get("hello") is entry  # and it is not tried again


@pytest.mark.parametrize(
    "other",
    [
        {"artifact-version": "no-such"},
        {"artifact-version": ""},
        {"artifact-version": "../x y"},
        {"sha256": "0" * 64},
        {"sha256": ""},
    ],
)
@pytest.mark.parametrize("small", [0, 1000])
def test_metadata_that_are_wrong_cost_no_answer(
    models: ModelStore,
    s3: CountingBucket,
    monkeypatch: pytest.MonkeyPatch,
    printed: pytest.CaptureFixture[str],
    other: dict[str, str],
    small: int,
) -> None:
    monkeypatch.setattr(objects, "SMALL_BYTES", small)
    version = promote(s3, "hello", adder(1), **other)
    printed.readouterr()
    assert models.get("hello").model.score(0.0) == 1.0
    assert models.get("hello").version == version
    assert metrics(printed)["ArtifactRefused"] == 1


def test_an_artifact_for_another_engine_is_not_even_asked_for(
    models: ModelStore,
    s3: CountingBucket,
    monkeypatch: pytest.MonkeyPatch,
    printed: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(s3, "_artifact", pytest.fail)
    promote(s3, "hello", adder(1), **{"artifact-key": "pfa-score 0.0.1, titus2 1.2.0 f30d0d0a"})
    printed.readouterr()
    assert models.get("hello").model.score(0.0) == 1.0
    assert "ArtifactRefused" not in metrics(printed)


def test_rolling_with_artifacts_mixes_nothing_and_fails_nothing(s3: CountingBucket) -> None:
    made = [(adder(n), pfa.load(adder(n)).to_artifact()) for n in range(12)]
    # Every third is broken off, every fourth has none at all.
    models = ModelStore(s3, ttl=0.0)
    versions = {promote(s3, "hello", *made[0]): 0.0}
    answered, done = threading.Semaphore(0), threading.Event()

    def roll() -> None:
        for number, (body, artifact) in enumerate(made[1:], 1):
            for _ in range(3):
                answered.acquire(timeout=10)
            data = artifact[:50] if number % 3 == 0 else artifact
            key = "none" if number % 4 == 0 else pfa.artifact_key()
            version = promote(s3, "hello", body, data, **{"artifact-key": key})
            versions[version] = float(number)
        done.set()

    roller = threading.Thread(target=roll)
    roller.start()
    seen = []
    while not done.is_set():
        entry = models.get("hello")
        seen.append((entry.version, entry.model.score(0.0), entry.stale))
        answered.release()
    roller.join()
    assert all(versions[version] == value for version, value, _ in seen)
    assert not any(stale for *_, stale in seen)
    assert models.get("hello").model.score(0.0) == 11.0


# --- a sick source


@pytest.fixture
def sick(faulty: FaultyS3, clock: Clock) -> ModelStore:
    for number in (1, 2):
        artifact = pfa.load(adder(number)).to_artifact()
        faulty.objects[f"live/a{number}.artifact"] = artifact
    switch(faulty, 1)
    source = Bucket("models", make_client(0.3, 0.3, 2), call_seconds=1.0)
    return ModelStore(source, ttl=60, clock=clock)


def switch(faulty: FaultyS3, number: int) -> None:
    body = adder(number)
    faulty.objects["live/hello.pfa"] = body
    artifact = faulty.objects[f"live/a{number}.artifact"]
    faulty.objects["live/hello.artifact"] = artifact
    faulty.metadata["live/hello.pfa"] = facts(body, artifact, "v-1")


@pytest.mark.parametrize("mode", ["hang", "half", "drip", "down", "garbage", "denied"])
def test_s3_that_dies_between_document_and_artifact(
    faulty: FaultyS3,
    sick: ModelStore,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
) -> None:
    monkeypatch.setattr(objects, "SMALL_BYTES", 0)
    assert sick.get("hello").model.score(0.0) == 1.0
    switch(faulty, 2)
    faulty.modes["live/hello.artifact"] = mode
    clock.now += 60
    entry = sick.get("hello")
    assert (entry.model.score(0.0), entry.stale) == (2.0, False)
    assert loading.is_whole(entry.model)


def test_s3_that_dies_for_good_after_the_metadata(
    faulty: FaultyS3, sick: ModelStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "SMALL_BYTES", 0)
    artifact = sick.source._artifact  # type: ignore[union-attr]

    def die(*more: object) -> bytes:
        faulty.mode = "down"
        return artifact(*more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(sick.source, "_artifact", die)
        with pytest.raises(UnavailableError):
            sick.get("hello")
    faulty.mode = "ok"
    clock.now += slot.BACKOFF_SECONDS[1]
    assert sick.get("hello").model.score(0.0) == 1.0
    switch(faulty, 2)
    clock.now += 60
    with monkeypatch.context() as patch:
        patch.setattr(sick.source, "_artifact", die)
        entry = sick.get("hello")
        assert (entry.model.score(0.0), entry.stale) == (1.0, True)
    faulty.mode = "ok"
    clock.now += slot.BACKOFF_SECONDS[1]
    assert sick.get("hello").model.score(0.0) == 2.0


def test_a_small_document_needs_no_further_call(
    faulty: FaultyS3, sick: ModelStore, clock: Clock
) -> None:
    faulty.modes["live/hello.artifact"] = "down"
    assert sick.get("hello").model.score(0.0) == 1.0
    assert faulty.calls.count("live/hello.pfa") == 1


# --- what an artifact does without


def test_a_record_with_an_error_loads_the_rest_once(
    call: Client, s3: CountingBucket, models: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(s3, "hello", adder(1))
    assert call.score("1").text == "2.0"
    entry = models.get("hello")
    assert call.score('"x"').status == 422
    assert call.metrics["ModelCompleted"] == 1
    assert loading.is_whole(entry.model)
    assert models.get("hello").size > entry.size
    assert call.score('"x"').status == 422
    assert "ModelCompleted" not in call.metrics
    assert call.score("1").text == "2.0"


def test_a_batch_loads_the_rest_once(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(s3, "hello", adder(1))
    rows = call.batch('[1, "x", 2]').json
    assert [row.get("result") for row in rows] == [2.0, None, 3.0]
    assert call.metrics["ModelCompleted"] == 1
    assert [row.get("result") for row in call.batch('[1, "x", 2]').json] == [2.0, None, 3.0]
    assert "ModelCompleted" not in call.metrics


def test_a_short_time_for_scoring_does_not_keep_the_rest_from_loading(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(s3, "hello", adder(1))
    encoded = pfa.load_artifact(pfa.load(adder(1)).to_artifact())._encoded
    load = pfa.model._load

    def slow(*more: object) -> pfa.Model:
        until = threading.Event()
        until.wait(0.5)
        return load(*more)  # type: ignore[arg-type]

    monkeypatch.setattr(pfa.model, "_load", slow)
    monkeypatch.setattr(call.app, "SCORE_SECONDS", 0.1)
    assert encoded() == adder(1)
    assert call.score("1").text == "2.0"
    assert call.score('"x"').status == 422  # not 504, though it took longer than 0.1 s


def test_no_time_to_load_the_rest_is_a_timeout_and_not_for_ever(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(s3, "hello", adder(1))
    call.score("1")
    with monkeypatch.context() as patch:
        patch.setattr(pfa.model, "_load", lambda *_: threading.Event().wait(30))
        answer = call.invoke({"model": "hello", "record": "x"}, Context(seconds=0.8))
        assert answer["status"] == 504
    assert call.score("1").text == "2.0"
    assert call.score('"x"').status == 422


def test_a_document_that_does_not_load_any_more_is_unavailable(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(s3, "hello", adder(1))
    call.score("1")

    def fail(_: object) -> None:
        raise pfa.DocumentError("no more")

    with monkeypatch.context() as patch:
        patch.setattr(pfa.model, "_load", fail)
        assert call.score('"x"').status == 503
        assert call.score("1").text == "2.0"


def test_the_rest_is_loaded_with_room_for_it(
    s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "resident_bytes", lambda: 0)
    room = 3 * loading.BYTES_PER_MODEL
    models = ModelStore(s3, ttl=60, capacity=room, clock=clock)
    for name in "ab":
        promote(s3, name, adder(1, doc="x" * 8000))
    for name in "ab":
        models.get(name)
    assert list(models._slots) == ["a", "b"]
    models.complete(models.get("b"))
    assert list(models._slots) == ["b"]
    assert models._slots["b"].entry is not None
    assert models._slots["b"].entry.size > 2 * loading.BYTES_PER_MODEL


def test_a_model_with_state_is_whole_from_the_start(models: ModelStore, s3: CountingBucket) -> None:
    promote(s3, "hello", STATE)
    entry = models.get("hello")
    assert loading.is_whole(entry.model)
    assert entry.model.score_batch([1.0, 2.0], timeout=5) == [2.0, 4.0]


def test_nothing_of_the_engine_takes_what_says_that_more_is_needed() -> None:
    body = adder(1)
    model = loading.from_artifact(pfa.load(body).to_artifact(), facts(body)["sha256"])
    for timeout in (None, 5.0):
        with pytest.raises(WholeNeeded):
            model.score("x", timeout=timeout)
        with pytest.raises(WholeNeeded):
            model.score_batch([1.0, "x"], timeout=timeout)
    with deadline(5.0):
        assert loading.complete(model).score_batch([1.0, 2.0]) == [2.0, 3.0]
    assert loading.complete(model) is model


def test_an_artifact_that_loads_too_slowly_is_refused(
    models: ModelStore, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(s3, "hello", adder(1))

    def slow(_: bytes) -> pfa.Model:
        raise DeadlineExceeded

    monkeypatch.setattr(pfa, "load_artifact", slow)
    assert models.get("hello").model.score(0.0) == 1.0


def test_a_forest_of_8_mb_from_its_artifact(
    models: ModelStore, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = forest()
    body = json.dumps(document, separators=(",", ":")).encode()
    artifact = pfa.load(body).to_artifact()
    promote(s3, "forest", body, artifact)
    no_documents(monkeypatch)
    entry = models.get("forest")
    record, _ = rows()[0]
    trees = document["cells"]["forest"]["init"]
    assert entry.model.score(record) == pytest.approx(predict(trees, record), rel=1e-12)
    assert store.BYTES_PER_ARTIFACT_BYTE * len(artifact) <= entry.size < 4 * len(body)
