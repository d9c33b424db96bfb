"""What is done before a snapshot is taken and after it is restored."""

import json

import pytest
import snapshot_restore_py

from bucket import Bucket, make_client
from score import absent, snapshot, store
from score.packaged import Folder
from score.slot import UnavailableError, UnknownModelError
from score.store import ModelStore
from tests.score.conftest import Client, Clock, CountingBucket, adder, promote
from tests.score.faulty_s3 import FaultyS3
from tests.score.test_init import ROOT, run


def test_the_hooks_are_registered_once_at_init() -> None:
    code = """
from snapshot_restore_py import get_after_restore, get_before_snapshot
before, after = get_before_snapshot(), get_after_restore()
show([[hook.__module__ + "." + hook.__name__ for hook, *_ in hooks] for hooks in (before, after)])
for hook, args, kwargs in [*reversed(before), *after]:
    hook(*args, **kwargs)
show(app.handler(3.14, Context()))
"""
    hooks, answer = run(code, DEFAULT_MODEL="hello")
    assert hooks == [["score.snapshot.rest"], ["score.snapshot.renew"]]
    assert answer == 103.14


def test_the_hooks_of_a_function_with_a_bucket_in_a_process_of_its_own(
    faulty: FaultyS3,
) -> None:
    faulty.objects["live/hello.pfa"] = (ROOT / "models/hello.pfa").read_bytes()
    code = """
import os
from snapshot_restore_py import get_after_restore, get_before_snapshot
def sockets():
    found = 0
    for number in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink("/proc/self/fd/" + number).startswith("socket:")
        except OSError:
            pass
    return found
show(app.handler(3.14, Context()))
for hook, args, kwargs in get_before_snapshot(): hook(*args, **kwargs)
show(sockets())
for hook, args, kwargs in get_after_restore(): hook(*args, **kwargs)
show(sockets())
show(app.handler(3.14, Context()))
"""
    shown = run(code, MODEL_BUCKET="models", DEFAULT_MODEL="hello", AWS_ENDPOINT_URL_S3=faulty.url)
    assert shown == [103.14, 0, 0, 103.14]
    assert faulty.calls.count("live/hello.pfa") == 2  # once more after the restore


def test_without_the_runtime_there_are_no_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "snapshot_restore_py", None)
    assert not snapshot.register()


def test_after_a_restore_s3_is_asked_again(
    call: Client, models: ModelStore, s3: CountingBucket, clock: Clock
) -> None:
    old = promote(s3, "hello", adder(1))
    assert call.score("0").text == "1.0"
    pinned = promote(s3, "other", adder(5))
    promote(s3, "other", adder(6))
    models.get("other", version=pinned)
    with pytest.raises(UnknownModelError):
        models.get("late")
    promote(s3, "hello", adder(2))
    promote(s3, "late", adder(3))
    assert call.score("0").headers["x-model-version"] == old
    client = s3.client
    snapshot.rest()
    snapshot.renew()
    assert s3.client is not client
    s3.asked.clear()
    assert call.score("0").text == "2.0"
    assert models.get("late").model.score(0.0) == 3.0
    assert models.get("other", version=pinned).model.score(0.0) == 5.0
    assert s3.asked == ["hello", "late"]  # a version never changes


def test_a_failure_of_before_does_not_outlast_the_restore(
    faulty: FaultyS3, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty.objects["live/hello.pfa"] = adder(1)
    faulty.mode = "down"
    models = ModelStore(Bucket("models", make_client(1, 1, 1)), ttl=60, clock=clock)
    with pytest.raises(UnavailableError):
        models.get("hello")
    faulty.mode = "ok"
    models.rest()
    models.renew()
    assert models.get("hello").model.score(0.0) == 1.0


def test_restored_copies_draw_other_numbers(models: ModelStore, s3: CountingBucket) -> None:
    body = json.dumps(
        {"input": "null", "output": "double", "action": {"rand.gaussian": [0.0, 1.0]}}
    ).encode()
    s3.put("dice", body)
    seeded = json.dumps({**json.loads(body), "randseed": 7}).encode()
    s3.put("seeded", seeded)
    entry = models.get("dice")
    rand = entry.model.engines._rand
    state = rand.getstate()
    told = []
    for _ in range(2):
        rand.setstate(state)  # as a snapshot does
        models.renew()
        told.append(entry.model.score(None))
    assert told[0] != told[1]
    same = models.get("seeded").model.score(None)
    models.renew()
    assert models.get("seeded").model.score(None) == same


def test_packaged_models_have_nothing_open(clock: Clock) -> None:
    models = ModelStore(Folder(ROOT / "models"), clock=clock)
    entry = models.get("hello")
    models.rest()
    models.renew()
    assert models.get("hello") is entry
    assert absent.REMEMBER_SECONDS > 0
    assert store.STORE is not models
    assert snapshot_restore_py.get_before_snapshot() is not None
