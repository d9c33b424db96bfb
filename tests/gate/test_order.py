"""Whatever order events come in, however often, wherever a gate dies: the newest upload counts."""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise, permutations, product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from bucket import ConflictError, report_key
from gate import app, live, notify, promote, rollback
from gate.promote import Gate
from gate.verdict import Finding, Limits, Verdict
from tests.gate.buckets import HookedMemory, HookedS3, MemoryBucket
from tests.moto_s3 import created

UPLOAD, LIVE, ARTIFACT = "models/m.pfa", "live/m.pfa", "live/m.artifact"
FIRST = b"good 0"  # what is live before
BAD = b"bad"


type Hooked = HookedMemory | HookedS3
type Uploads = list[tuple[str, bytes]]  # version and document


class Crash(BaseException):
    """The gate's process dies."""


def compare(body: bytes, live: bytes | None, limits: Limits) -> Verdict:
    """A check of which the verdict is written in the document."""
    passed = not body.startswith(b"bad")
    finding = Finding("stub", "passed" if passed else "failed", "said so")
    sha256 = hashlib.sha256(body).hexdigest()
    return Verdict(passed, (finding,), sha256, "stub", artifact=b"of " + body if passed else None)


@pytest.fixture(autouse=True, scope="module")
def _stubs() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(promote, "compare", compare)
        patch.setattr(rollback, "compare", compare)
        patch.setattr(notify, "announce", lambda *_: None)
        patch.setattr(notify, "report", lambda *_: None)
        patch.setattr(rollback, "announce", lambda *_: None)
        says = staticmethod(lambda *_, **__: None)
        quiet = type("Quiet", (), {"info": says, "warning": says})
        patch.setattr(live, "logger", quiet)
        patch.setattr(app, "logger", quiet)
        yield


def settle(bucket: Hooked, version: str = "") -> None:
    """Do what the event of that upload asks for."""
    detail = {"bucket": {"name": "models"}, "object": {"key": UPLOAD, "version-id": version}}
    app._on_upload(detail, Gate(bucket, Limits(), lambda: 300.0))


def with_first(bucket: Hooked) -> Hooked:
    bucket.put_object(UPLOAD, FIRST)
    settle(bucket)
    return bucket


def verdicts(bucket: Hooked, uploads: Uploads) -> list[str]:
    """The verdicts on the uploads, "" for one without."""
    heads = [bucket.head(report_key("m", version)) for version, _ in uploads]
    return [head.metadata["verdict"] if head else "" for head in heads]


def check_final(bucket: Hooked, uploads: Uploads) -> None:
    """Live is the newest upload that passed; none that failed ever was; nothing is half."""
    found = verdicts(bucket, uploads)
    assert found[-1]
    assert (found[-1] == "rejected") == (uploads[-1][1].startswith(b"bad"))
    passed = [
        body for (_, body), it in zip(uploads, found, strict=True) if it not in ("", "rejected")
    ]
    now = bucket.get(LIVE)
    assert now.body == (passed[-1] if passed else FIRST)
    history = [bucket.get(LIVE, item.version) for item in bucket.versions("m")]
    assert all(one.body != two.body for one, two in pairwise(history))
    for document in history:
        assert document.body.startswith(b"good")
        assert document.metadata["sha256"] == hashlib.sha256(document.body).hexdigest()
        version = document.metadata["artifact-version"]
        assert bucket.get(ARTIFACT, version).body == b"of " + document.body
    before = len(history)
    settle(bucket)  # an event that comes late
    assert len(bucket.versions("m")) == before
    assert verdicts(bucket, uploads) == found


KINDS = [b"good 0", b"good 1", b"good 2", BAD]
MIXES = [*product(KINDS, KINDS, [FIRST, b"good 2", b"bad 3"])]


def each_order(bucket: Hooked, mix: tuple[bytes, ...], order: tuple[int, ...]) -> None:
    """Have events of three uploads that were all made before; then all again, backwards."""
    uploads = [(bucket.put_object(UPLOAD, body), body) for body in mix]
    for n in (*order, *order[::-1]):
        settle(bucket, uploads[n][0])
    check_final(bucket, uploads)
    assert verdicts(bucket, uploads)[:2] == ["", ""]  # overtaken: not checked


@pytest.mark.parametrize("order", [*permutations(range(3))])
@pytest.mark.parametrize("mix", MIXES)
def test_all_orders_of_the_events_of_three_uploads(mix, order):
    each_order(with_first(HookedMemory()), mix, order)


@pytest.fixture
def s3() -> Iterator[HookedS3]:
    with mock_aws():
        yield created(HookedS3("models"))


@pytest.mark.parametrize("mix", [MIXES[19], MIXES[25], MIXES[34], MIXES[-1]])
def test_all_orders_with_s3(s3, mix):
    with_first(s3)
    for order in permutations(range(3)):
        uploads = [(s3.put_object(UPLOAD, body), body) for body in mix]
        for n in (*order, *order[::-1]):
            settle(s3, uploads[n][0])
        found = verdicts(s3, uploads)
        assert found[:2] == ["", ""]
        assert (found[2] == "rejected") == mix[2].startswith(b"bad")
        assert s3.get(LIVE).body in (FIRST, mix[2])


@pytest.mark.parametrize("delays", [*product(range(4), repeat=3)])
@pytest.mark.parametrize("mix", [(b"good 1", b"good 2", b"good 3"), (b"good 1", BAD, b"good 1")])
def test_events_that_come_after_later_uploads(mix, delays):
    """The event of upload n comes so many uploads later, and once more at the end."""
    bucket = with_first(HookedMemory())
    uploads = []
    for n, body in enumerate(mix):
        uploads.append((bucket.put_object(UPLOAD, body), body))
        for m in range(n + 1):
            if m + delays[m] == n:
                settle(bucket, uploads[m][0])
    for version, _ in uploads:
        settle(bucket, version)
    check_final(bucket, uploads)


def calls_of(mix: list[bytes]) -> int:
    bucket = with_first(HookedMemory())
    for body in mix:
        bucket.put_object(UPLOAD, body)
    asked = []
    bucket.before = lambda operation, key: asked.append(operation)
    settle(bucket)
    return len(asked)


def between(bucket: HookedMemory, call: int, what: Callable[[], None]) -> None:
    """Do something before the call of that number, once."""
    count = iter(range(1_000_000))

    def before(operation: str, key: str) -> None:
        if next(count) == call:
            bucket.before = lambda operation, key: None
            what()

    bucket.before = before


@pytest.mark.parametrize("body", [b"good 1", FIRST, BAD])
def test_a_gate_that_dies_before_any_call_leaves_old_or_new(body):
    for call in range(calls_of([body])):
        bucket = with_first(HookedMemory())
        uploads = [(bucket.put_object(UPLOAD, body), body)]

        def die() -> None:
            raise Crash

        between(bucket, call, die)
        with pytest.raises(Crash):
            settle(bucket)
        now = bucket.get(LIVE)
        assert now.body in (FIRST, body)
        assert bucket.get(ARTIFACT, now.metadata["artifact-version"]).body == b"of " + now.body
        settle(bucket)  # the retry
        check_final(bucket, uploads)


@pytest.mark.parametrize("second", [b"good 1", b"good 2", FIRST, BAD])
@pytest.mark.parametrize("with_gate", [False, True])
def test_an_upload_and_another_gate_between_any_two_calls(second, with_gate):
    for call in range(calls_of([b"good 1"])):
        bucket = with_first(HookedMemory())
        uploads = [(bucket.put_object(UPLOAD, b"good 1"), b"good 1")]

        def upload(bucket=bucket, uploads=uploads) -> None:
            uploads.append((bucket.put_object(UPLOAD, second), second))
            if with_gate:
                settle(bucket)

        between(bucket, call, upload)
        settle(bucket)
        settle(bucket)
        check_final(bucket, uploads)


def test_the_same_bytes_come_back_live_just_before_a_slow_gate_writes():
    """Its condition is met, though another upload was live in between; it must not win."""
    for call in range(calls_of([b"good 1"])):
        bucket = with_first(HookedMemory())
        uploads = [(bucket.put_object(UPLOAD, b"good 1"), b"good 1")]

        def both(bucket=bucket, uploads=uploads) -> None:
            for body in (b"good 2", FIRST):
                uploads.append((bucket.put_object(UPLOAD, body), body))
                settle(bucket)

        between(bucket, call, both)
        settle(bucket)
        check_final(bucket, uploads)


@pytest.mark.parametrize("later", range(12))
def test_the_bytes_that_are_live_and_a_bad_upload_just_before_a_slow_gate_writes(later):
    """The first changes nothing, so the slow gate's condition is met; the second is the newest."""
    for call in range(calls_of([b"good 1"])):
        bucket = with_first(HookedMemory())
        uploads = [(bucket.put_object(UPLOAD, b"good 1"), b"good 1")]

        def upload(body: bytes, bucket=bucket, uploads=uploads) -> None:
            uploads.append((bucket.put_object(UPLOAD, body), body))
            settle(bucket)

        def both(upload=upload, bucket=bucket) -> None:
            upload(FIRST)
            between(bucket, later, lambda: upload(BAD))

        between(bucket, call, both)
        settle(bucket)
        bucket.before = lambda operation, key: None
        settle(bucket)
        check_final(bucket, uploads)


def test_an_upload_that_was_overtaken_during_its_check_is_never_live(monkeypatch):
    bucket = with_first(HookedMemory())
    bucket.put_object(UPLOAD, b"good 1")

    def overtaken(body: bytes, live: bytes | None, limits: Limits) -> Verdict:
        if body == b"good 1":
            bucket.put_object(UPLOAD, b"good 2")
        return compare(body, live, limits)

    monkeypatch.setattr(promote, "compare", overtaken)
    settle(bucket)
    assert [bucket.get(LIVE, item.version).body for item in bucket.versions("m")] == [
        b"good 2",
        FIRST,
    ]


def test_what_the_checks_found_is_told_though_another_gate_made_the_report_first():
    bucket = with_first(HookedMemory())
    version = bucket.put_object(UPLOAD, b"good 1")

    def before(operation: str, key: str) -> None:
        if (operation, key) == ("put", report_key("m", version)):
            bucket.before = lambda operation, key: None
            settle(bucket)
            report = json.loads(bucket.get(key).body)
            assert report["findings"][0]["check"] == "gate"

    bucket.before = before
    settle(bucket)
    report = json.loads(bucket.get(report_key("m", version)).body)
    assert report["findings"][0]["check"] == "stub"
    assert report["live"] == bucket.head(LIVE).version


def test_a_write_of_which_the_answer_was_lost():
    """botocore tries again, and is told that the object is another than it knew: its own."""

    class Lossy(HookedMemory):
        def put_object(self, key, body, metadata=None, only_over=None):
            version = super().put_object(key, body, metadata, only_over)
            if key == LIVE and only_over:
                raise ConflictError
            return version

    bucket = with_first(Lossy())
    uploads = [(bucket.put_object(UPLOAD, b"good 1"), b"good 1")]
    settle(bucket)
    check_final(bucket, uploads)
    report = json.loads(bucket.get(report_key("m", uploads[0][0])).body)
    assert report["verdict"] == "promoted"
    assert report["findings"][0]["check"] == "stub"


@pytest.mark.parametrize("dies", [None, *range(20)])
def test_late_events_do_not_undo_a_rollback(dies):
    """Not even of an upload that went live by a gate that died before its report."""
    bucket = with_first(HookedMemory())
    bucket.put_object(UPLOAD, b"good 1")

    def die() -> None:
        raise Crash

    if dies is not None:
        between(bucket, dies, die)
    try:
        settle(bucket)
    except Crash:
        if bucket.get(LIVE).body == FIRST:
            return  # not live yet
    bucket.before = lambda operation, key: None
    done = rollback.rollback(Gate(bucket, Limits(), lambda: 300.0), "m")
    assert done["done"], done
    for _ in range(3):
        settle(bucket)
        assert bucket.get(LIVE).body == FIRST
    bucket.put_object(UPLOAD, b"good 1")  # but an upload after it counts
    settle(bucket)
    assert bucket.get(LIVE).body == b"good 1"


def test_late_events_do_not_undo_a_removal():
    bucket = with_first(HookedMemory())
    assert rollback.remove(Gate(bucket, Limits(), lambda: 300.0), "m")["done"]
    settle(bucket)
    assert bucket.head(LIVE) is None
    bucket.put_object(UPLOAD, FIRST)
    settle(bucket)
    assert bucket.get(LIVE).body == FIRST


@pytest.mark.parametrize("again", [False, True])
def test_a_rollback_between_any_two_calls_of_a_slow_gate(again):
    """Another gate puts the same upload live, and it is rolled back, while this one checks it."""
    for call in range(calls_of([b"good 1"]) + 1):
        bucket = with_first(HookedMemory())
        version = bucket.put_object(UPLOAD, b"good 1")
        done = []

        def both(bucket=bucket, done=done) -> None:
            settle(bucket)
            done.append(rollback.rollback(Gate(bucket, Limits(), lambda: 300.0), "m")["done"])
            if again:
                bucket.put_object(UPLOAD, b"good 2")
                settle(bucket)

        between(bucket, call, both)
        settle(bucket)
        bucket.before = lambda operation, key: None
        settle(bucket, version)
        if done == [True]:
            assert bucket.get(LIVE).body == (b"good 2" if again else FIRST)
            assert ("rolled-back-to" in bucket.head(LIVE).metadata) != again


class Task:
    """A thread that makes a call of the bucket when it is told to."""

    def __init__(self, work: Callable[[], None], ready: threading.Semaphore) -> None:
        self.go = threading.Semaphore(0)
        self.ready = ready
        self.dies = self.done = False
        self.error: BaseException | None = None
        self.work = work
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        try:
            self.wait()
            self.work()
        except Crash:
            self.dies = True
        except BaseException as error:
            self.error = error
        self.done = True
        self.ready.release()

    def wait(self) -> None:
        self.go.acquire()
        if self.dies:
            raise Crash

    def pause(self) -> None:
        self.ready.release()
        self.wait()


def interleave(bucket: HookedMemory, bodies: list[bytes], chance: random.Random) -> Uploads:
    """Run the uploads and the gates of their events, two each, one call at a time, any next."""
    uploads: Uploads = []
    ready = threading.Semaphore(0)
    tasks: list[Task] = []
    running: list[Task] = []

    def start(work: Callable[[], None]) -> None:
        tasks.append(Task(work, ready))
        tasks[-1].thread.start()

    bucket.before = lambda operation, key: running[-1].pause()
    left = [*bodies]
    crashes = 2
    while left or tasks:
        if left and (not tasks or chance.random() < 0.06):
            body = left.pop(0)
            version = MemoryBucket.put_object(bucket, UPLOAD, body)
            uploads.append((version, body))
            start(lambda: settle(bucket))
            start(lambda: settle(bucket))
        task = chance.choice(tasks)
        if crashes and chance.random() < 0.03:
            crashes -= 1
            task.dies = True
        running.append(task)
        task.go.release()
        ready.acquire()
        if task.done:
            tasks.remove(task)
            task.thread.join()
            if task.error:
                raise task.error
            if task.dies:  # and is tried again
                start(lambda: settle(bucket))
    bucket.before = lambda operation, key: None
    return uploads


@settings(max_examples=150, deadline=None)
@example([b"good 1", FIRST, BAD], 316323)  # what was live was left to the older upload
@given(
    st.lists(st.sampled_from([FIRST, b"good 1", b"good 2", BAD]), min_size=2, max_size=4),
    st.integers(0, 2**32),
)
def test_gates_at_the_same_time(bodies, seed):
    bucket = with_first(HookedMemory())
    check_final(bucket, interleave(bucket, bodies, random.Random(seed)))
