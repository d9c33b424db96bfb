import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import pfa
from bucket import Bucket, BucketError, make_client
from pfa.deadline import DeadlineExceeded
from score import absent, loading, slot, store
from score.packaged import Folder
from score.store import ModelStore, UnavailableError, UnknownModelError
from scripts.make_forest import forest, predict, rows
from tests.score.conftest import Clock, CountingBucket, adder
from tests.score.faulty_s3 import FaultyS3


def answers(models: ModelStore, name: str = "hello") -> tuple[float, str, bool]:
    entry = models.get(name)
    return entry.model.score(0.0), entry.version, entry.stale


def delete(s3: Bucket, name: str) -> None:
    s3.client.delete_object(Bucket="models", Key=f"live/{name}.pfa")


# --- fresh, unchanged, changed, gone


def test_a_fresh_model_is_not_asked_for_again(
    models: ModelStore, s3: CountingBucket, clock: Clock
) -> None:
    version = s3.put("hello", adder(1))
    assert answers(models) == (1.0, version, False)
    s3.put("hello", adder(2))
    clock.now += 59.9
    assert answers(models) == (1.0, version, False)
    assert s3.asked == ["hello"]


def test_an_unchanged_model_is_asked_for_once_per_ttl(
    models: ModelStore, s3: CountingBucket, clock: Clock
) -> None:
    s3.put("hello", adder(1))
    first = models.get("hello")
    clock.now += 60
    assert models.get("hello") is first
    assert models.get("hello") is first
    assert len(s3.asked) == 2


def test_the_same_bytes_again_are_a_new_version_but_no_new_load(
    models: ModelStore, s3: CountingBucket, clock: Clock
) -> None:
    s3.put("hello", adder(1))
    first = models.get("hello")
    again = s3.put("hello", adder(1))
    clock.now += 60
    assert answers(models) == (1.0, again, False)
    assert models.get("hello").model is first.model


def test_a_changed_model_answers_after_the_ttl(
    models: ModelStore, s3: CountingBucket, clock: Clock
) -> None:
    s3.put("hello", adder(1))
    old = models.get("hello")
    version = s3.put("hello", adder(2))
    clock.now += 60
    assert answers(models) == (2.0, version, False)
    assert old.model.score(0.0) == 1.0  # who still holds it is not disturbed


def test_a_deleted_model_is_gone_and_can_come_back(
    models: ModelStore, s3: CountingBucket, clock: Clock
) -> None:
    s3.put("hello", adder(1))
    models.get("hello")
    delete(s3, "hello")
    clock.now += 60
    for _ in range(3):
        with pytest.raises(UnknownModelError):
            models.get("hello")
    assert len(s3.asked) == 2  # "no such model" is remembered for a moment
    version = s3.put("hello", adder(3))
    clock.now += absent.REMEMBER_SECONDS
    assert answers(models) == (3.0, version, False)


# --- broken documents


BROKEN = {
    "empty": b"",
    "half": adder(2)[:40],
    "no pfa": b'{"input": "double"}',
    "not utf-8": b'{"input": "\xff"}',
    "nested": b"[" * 200_000,
    "wrong type": adder(2).replace(b'"output": "double"', b'"output": "string"'),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_broken_document_leaves_the_last_good_one(
    models: ModelStore, s3: CountingBucket, clock: Clock, body: bytes
) -> None:
    good = s3.put("hello", adder(1))
    models.get("hello")
    s3.put("hello", body)
    clock.now += 60
    assert answers(models) == (1.0, good, True)
    fixed = s3.put("hello", adder(2))
    clock.now += 60
    assert answers(models) == (2.0, fixed, False)


def test_a_broken_document_is_parsed_once(
    models: ModelStore, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("hello", adder(1))
    models.get("hello")
    s3.put("hello", b"{")
    loads = []
    load = pfa.load
    monkeypatch.setattr(pfa, "load", lambda body: loads.append(body) or load(body))
    for _ in range(5):
        clock.now += 60
        assert answers(models)[2]
    assert loads == [b"{"]
    assert len(s3.asked) == 6


def test_rolling_back_from_a_broken_document_needs_no_load(
    models: ModelStore, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("hello", adder(1))
    models.get("hello")
    s3.put("hello", b"{")
    clock.now += 60
    models.get("hello")
    back = s3.put("hello", adder(1))
    monkeypatch.setattr(pfa, "load", pytest.fail)
    clock.now += 60
    assert answers(models) == (1.0, back, False)


def test_a_first_document_that_is_broken_is_unavailable_not_unknown(
    models: ModelStore, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("hello", b"{}")
    with pytest.raises(UnavailableError) as caught:
        models.get("hello")
    assert 1 <= caught.value.retry_after <= 60
    monkeypatch.setattr(pfa, "load", pytest.fail)
    for _ in range(3):
        clock.now += 60
        with pytest.raises(UnavailableError):
            models.get("hello")
    monkeypatch.undo()


def test_an_engine_that_fails_or_hangs_on_a_document_is_survived(
    models: ModelStore, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("hello", adder(1))
    models.get("hello")

    def hang(_: bytes) -> None:
        try:
            while True:
                pass
        except Exception:
            pytest.fail("swallowed")

    def fail(_: bytes) -> None:
        raise MemoryError

    for body, load, seconds in ((adder(2), hang, 0.2), (adder(3), fail, 20.0)):
        monkeypatch.setattr(loading, "LOAD_SECONDS", seconds)
        monkeypatch.setattr(pfa, "load", load)
        s3.put("hello", body)
        clock.now += 60
        assert answers(models)[::2] == (1.0, True)
        monkeypatch.setattr(pfa, "load", pytest.fail)
        clock.now += 60
        assert answers(models)[::2] == (1.0, True)  # and not tried again


def test_a_load_cut_short_by_a_request_is_tried_again(
    models: ModelStore, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("hello", adder(1))
    load = pfa.load
    monkeypatch.setattr(pfa, "load", lambda _: time.sleep(30))
    with pytest.raises(UnavailableError):
        models.get("hello", seconds=store.LEAST_SECONDS + 0.2)
    monkeypatch.setattr(pfa, "load", load)
    clock.now += slot.BACKOFF_SECONDS[1]
    assert answers(models)[0] == 1.0


# --- a sick source


@pytest.fixture
def sick(faulty: FaultyS3, clock: Clock) -> ModelStore:
    faulty.objects["live/hello.pfa"] = adder(1)
    source = Bucket("models", make_client(0.3, 0.3, 2), call_seconds=1.0)
    return ModelStore(source, ttl=60, clock=clock)


@pytest.mark.parametrize("mode", ["hang", "half", "drip", "down", "garbage", "denied"])
def test_the_last_good_model_outlives_a_sick_source(
    faulty: FaultyS3, sick: ModelStore, clock: Clock, mode: str
) -> None:
    good = answers(sick)
    faulty.mode = mode
    faulty.objects["live/hello.pfa"] = adder(2)
    clock.now += 60
    assert answers(sick) == (*good[:2], True)
    faulty.mode = "ok"
    clock.now += slot.BACKOFF_SECONDS[1]
    assert answers(sick)[::2] == (2.0, False)


def test_a_dead_source_is_asked_less_and_less(
    faulty: FaultyS3, sick: ModelStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot, "BACKOFF_SHARE", 0.0)  # how long real failures take is not the same
    sick.get("hello")
    faulty.mode = "down"
    calls: list[int] = []
    for _ in range(600):  # ten minutes, a request a second
        clock.now += 1
        faulty.calls.clear()
        assert sick.get("hello").model.score(0.0) == 1.0
        calls.append(len(faulty.calls))
    tried = [second for second, count in enumerate(calls) if count]
    gaps = [b - a for a, b in itertools.pairwise(tried)]
    assert tried[0] == 59
    assert gaps[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert set(gaps[6:]) == {60}


def test_a_source_that_hangs_costs_a_share_of_the_time() -> None:
    backoff = slot.Backoff()
    pauses = []
    for _ in range(7):
        backoff.fail(now=100.0, took=4.0)
        pauses.append(backoff.due - 100.0)
    assert pauses == [12, 12, 12, 12, 16, 32, 60]


def test_with_a_dead_source_an_unknown_model_is_unavailable_at_once(
    faulty: FaultyS3, sick: ModelStore, clock: Clock
) -> None:
    faulty.mode = "down"
    for n in range(100):
        with pytest.raises(UnavailableError):
            sick.get(f"made-up-{n}")
    # the others did not even try
    assert set(faulty.calls) == {"live/made-up-0.pfa", "live/made-up-0.routes.json"}
    faulty.mode = "ok"
    clock.now += slot.BACKOFF_SECONDS[1]
    assert answers(sick)[0] == 1.0


def test_a_refusal_of_one_model_does_not_hold_up_the_others(
    faulty: FaultyS3, sick: ModelStore
) -> None:
    faulty.objects["live/secret.pfa"] = adder(2)
    faulty.mode = "denied"
    with pytest.raises(UnavailableError):
        sick.get("secret")
    faulty.mode = "ok"
    assert answers(sick)[0] == 1.0


def test_a_request_with_no_time_left_asks_nobody(
    models: ModelStore, s3: CountingBucket, clock: Clock
) -> None:
    s3.put("hello", adder(1))
    with pytest.raises(UnavailableError):
        models.get("hello", seconds=0.1)
    with pytest.raises(UnavailableError):
        models.get("hello", seconds=0.9)
    assert s3.asked == []
    assert answers(models)[0] == 1.0  # it has time


# --- unknown names


def test_a_flood_of_unknown_names_is_bounded(
    models: ModelStore, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings = []
    names = s3.names
    monkeypatch.setattr(s3, "names", lambda limit: listings.append(1) or names(limit))
    s3.put("hello", adder(1))
    for n in range(2000):
        with pytest.raises(UnknownModelError):
            models.get(f"made-up-{n}")
    assert len(s3.asked) == absent.MAX_LOOKUPS
    assert len(listings) == 1
    assert len(models._absent._until) <= absent.MAX_NAMES
    assert not models._slots
    assert answers(models)[0] == 1.0  # what is there can be had in the midst of it
    clock.now += absent.REMEMBER_SECONDS
    s3.put("made-up-1999", adder(2))
    assert answers(models, "made-up-1999")[0] == 2.0


@pytest.mark.parametrize("why", ["too many", "no answer"])
def test_a_flood_hides_no_model_that_the_listing_does_not_name(
    models: ModelStore, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    listings = []

    def names(limit: int) -> list[str]:
        listings.append(limit)
        if why == "no answer":
            raise BucketError
        return [f"a{n}" for n in range(limit)]

    monkeypatch.setattr(s3, "names", names)
    s3.put("hello", adder(1))
    for n in range(absent.MAX_LOOKUPS + 10):
        with pytest.raises(UnknownModelError):
            models.get(f"made-up-{n}")
    assert answers(models)[0] == 1.0
    assert len(listings) == 1


def test_the_memory_of_unknown_names_is_bounded(
    models: ModelStore, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(absent, "MAX_LOOKUPS", 10**9)
    for n in range(absent.MAX_NAMES + 50):
        with pytest.raises(UnknownModelError):
            models.get(f"n{n}")
    assert len(models._absent._until) == absent.MAX_NAMES


# --- memory


def test_the_least_recently_asked_goes_first(
    s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "resident_bytes", lambda: 0)  # only the documents' sizes count
    bodies = {name: adder(n, doc="x" * 1000) for n, name in enumerate("abcd")}
    for name, body in bodies.items():
        s3.put(name, body)
    room = 3 * (store.BYTES_PER_BYTE * len(bodies["a"]) + loading.BYTES_PER_MODEL)
    models = ModelStore(s3, ttl=60, capacity=room, clock=clock)
    for name in "abca":
        models.get(name)
    models.get("d")  # pushes out b, which was not asked for since
    s3.asked.clear()
    for name in "acd":
        models.get(name)
    assert s3.asked == []
    models.get("b")  # pushes out a
    models.get("a")
    assert s3.asked == ["b", "a"]


def test_the_model_asked_for_stays_even_if_it_is_too_big(s3: CountingBucket, clock: Clock) -> None:
    models = ModelStore(s3, ttl=60, capacity=1, clock=clock)
    s3.put("a", adder(1))
    s3.put("b", adder(2))
    assert answers(models, "a")[0] == 1.0
    assert models.get("a") is models.get("a")
    assert answers(models, "b")[0] == 2.0
    assert list(models._slots) == ["b"]


def hungry(models: ModelStore, monkeypatch: pytest.MonkeyPatch, wrapped: bool) -> list[list[str]]:
    """Let no document of adder(2) load while another model is held; return who was held then."""
    load, held = pfa.load, []

    def fail(body: bytes) -> pfa.Model:
        if body != adder(2):
            return load(body)
        held.append([name for name, slot in models._slots.items() if slot.entry])
        if held[-1] in ([], ["big"]):
            return load(body)
        if wrapped:  # as the engine does
            raise pfa.DocumentError("too much") from MemoryError()
        raise MemoryError

    monkeypatch.setattr(pfa, "load", fail)
    return held


@pytest.mark.parametrize("wrapped", [True, False])
def test_other_models_go_before_a_document_is_too_large_for_memory(
    models: ModelStore, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch, wrapped: bool
) -> None:
    for name, number in (("a", 1), ("b", 3), ("big", 2)):
        s3.put(name, adder(number))
    held = hungry(models, monkeypatch, wrapped)
    models.get("a")
    models.get("b")
    assert answers(models, "big")[0] == 2.0
    assert held == [["a", "b"], []]
    assert answers(models, "a")[0] == 1.0


@pytest.mark.parametrize("error", [pfa.DocumentError("too much"), MemoryError()])
def test_a_document_that_no_memory_suffices_for_is_not_tried_again(
    models: ModelStore,
    s3: CountingBucket,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    if isinstance(error, pfa.DocumentError):
        error.__cause__ = MemoryError()
    tried = []
    load = pfa.load

    def fail(body: bytes) -> pfa.Model:
        if body == adder(1):
            return load(body)
        tried.append(1)
        raise error

    s3.put("other", adder(1))
    s3.put("hello", adder(2))
    monkeypatch.setattr(pfa, "load", fail)
    for _ in range(4):
        clock.now += 60
        assert answers(models, "other")[0] == 1.0
        with pytest.raises(UnavailableError):
            models.get("hello")
    assert len(tried) == 2


def test_a_document_that_memory_does_not_suffice_to_read_leaves_room_for_the_next_try(
    models: ModelStore, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("other", adder(1))
    s3.put("hello", adder(2))
    models.get("other")

    def fail(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(s3, "_get", fail)
        with pytest.raises(UnavailableError):
            models.get("hello")
    assert answers(models, "other")[0] == 1.0  # the source itself is not taken for dead
    clock.now += slot.BACKOFF_SECONDS[1]
    assert answers(models)[0] == 2.0


def test_a_request_with_more_time_than_a_load_that_was_cut_short_loads_at_once(
    models: ModelStore, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("hello", adder(1))
    load, tried = pfa.load, []

    def slow(body: bytes) -> pfa.Model:
        tried.append(1)
        if len(tried) < 2:
            raise DeadlineExceeded
        return load(body)

    monkeypatch.setattr(pfa, "load", slow)
    for seconds in (8.0, 8.0, 8.9):
        with pytest.raises(UnavailableError):
            models.get("hello", seconds)
    assert len(tried) == 1
    assert models.get("hello", 24.0).model.score(0.0) == 1.0


def test_a_load_that_is_cut_short_after_a_broken_document_is_tried_again_soon(
    models: ModelStore, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("hello", b"{}")
    with pytest.raises(UnavailableError):
        models.get("hello")
    s3.put("hello", adder(1))
    clock.now += 60
    with monkeypatch.context() as patch:
        patch.setattr(pfa, "load", lambda _: time.sleep(30))
        with pytest.raises(UnavailableError):
            models.get("hello", seconds=store.LEAST_SECONDS + 0.2)
    clock.now += 10  # less than the time to live
    assert models.get("hello", seconds=1.3).model.score(0.0) == 1.0


def test_loads_that_are_cut_short_are_tried_less_and_less(
    models: ModelStore, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot, "BACKOFF_SHARE", 0.0)
    s3.put("hello", adder(1))
    tried = []

    def cut(_: bytes) -> None:
        tried.append(clock.now)
        raise DeadlineExceeded

    monkeypatch.setattr(pfa, "load", cut)
    for _ in range(100):
        clock.now += 1
        with pytest.raises(UnavailableError):
            models.get("hello", seconds=5)
    assert [b - a for a, b in itertools.pairwise(tried)] == [1, 2, 4, 8, 16, 32]


# --- threads


def test_many_threads_make_one_load(
    models: ModelStore, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("hello", adder(1))
    load = pfa.load

    def slow(body: bytes) -> pfa.Model:
        time.sleep(0.2)
        return load(body)

    monkeypatch.setattr(pfa, "load", slow)
    with ThreadPoolExecutor(8) as pool:
        entries = list(pool.map(models.get, ["hello"] * 8))
    assert len({id(entry) for entry in entries}) == 1
    assert s3.asked == ["hello"]


def test_no_thread_waits_for_another_models_load_or_for_a_refresh(
    models: ModelStore, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("hello", adder(1))
    old = models.get("hello")
    s3.put("hello", adder(2))
    s3.put("other", adder(3))
    clock.now += 60
    loading, go_on = threading.Event(), threading.Event()
    load = pfa.load

    def held(body: bytes) -> pfa.Model:
        if body == adder(2):
            loading.set()
            assert go_on.wait(30)
        return load(body)

    monkeypatch.setattr(pfa, "load", held)
    with ThreadPoolExecutor(1) as pool:
        new = pool.submit(models.get, "hello")
        assert loading.wait(30)
        assert models.get("hello") is old  # at once, while the other thread still loads
        assert answers(models, "other")[0] == 3.0
        go_on.set()
        assert new.result().model.score(0.0) == 2.0
    assert answers(models)[0] == 2.0


def test_rolling_under_requests_loses_none_and_mixes_none(s3: CountingBucket) -> None:
    models = ModelStore(s3, ttl=0.0)
    versions = {s3.put("hello", adder(0)): 0.0}
    seen: list[tuple[str, float]] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            entry = models.get("hello")
            seen.append((entry.version, entry.model.score(0.0)))

    with ThreadPoolExecutor(4) as pool:
        askers = [pool.submit(ask) for _ in range(4)]
        for number in range(1, 30):
            version = s3.put("hello", adder(number))
            versions[version] = float(number)
            before = len(seen)
            while not any(asker.done() for asker in askers):
                if len(seen) >= before + 20 and (version, number) in seen[before:]:
                    break
                time.sleep(0.001)
        done.set()
        for asker in askers:
            asker.result()
    assert len(seen) > 29 * 20
    assert all(versions[version] == answer for version, answer in seen)
    assert len({version for version, _ in seen}) >= 29  # the first may be gone before any answer
    assert answers(models)[0] == 29.0


# --- size


def test_a_forest_of_8_mb(models: ModelStore, s3: CountingBucket, clock: Clock) -> None:
    document = forest()
    body = json.dumps(document, separators=(",", ":")).encode()
    assert len(body) > 7_800_000
    s3.put("forest", body)
    entry = models.get("forest")
    record, _ = rows()[0]
    trees = document["cells"]["forest"]["init"]
    assert entry.model.score(record) == pytest.approx(predict(trees, record), rel=1e-12)
    assert entry.size >= store.BYTES_PER_BYTE * len(body)
    clock.now += 60
    assert models.get("forest") is entry


# --- packaged models


def test_packaged_models_follow_their_files(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "hello.pfa").write_bytes(adder(1))
    (tmp_path / "read.me").write_bytes(b"")
    models = ModelStore(Folder(tmp_path), ttl=60, clock=clock)
    value, version, _ = answers(models)
    assert value == 1.0
    assert version == f"packaged-{models.get('hello').model.sha256[:12]}"
    with pytest.raises(UnknownModelError):
        models.get("other")
    with pytest.raises(ValueError, match="name"):
        models.get("../hello")
    assert [(item.name, item.version) for item in models.list(10)] == [("hello", version)]
    (tmp_path / "hello.pfa").write_bytes(adder(2))
    clock.now += 60
    assert answers(models)[0] == 2.0
    (tmp_path / "hello.pfa").unlink()
    clock.now += 60
    with pytest.raises(UnknownModelError):
        models.get("hello")


def test_no_folder_at_all_means_no_models(tmp_path: Path) -> None:
    models = ModelStore(Folder(tmp_path / "none"))
    assert models.list(10) == []
    with pytest.raises(UnknownModelError):
        models.get("hello")


def test_the_environment_says_which_source(
    tmp_path: Path, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    for name in ("MODEL_BUCKET", "MODEL_TTL_SECONDS", "MODEL_CACHE_MB", "MODEL_MAX_MB"):
        monkeypatch.setenv(name, "")
    made = store.from_environment()
    assert isinstance(made.source, Folder)
    assert made.source.path == tmp_path / "models"
    assert (made.ttl, made.capacity) == (60.0, 512_000_000)
    monkeypatch.setenv("MODEL_BUCKET", "models")
    monkeypatch.setenv("MODEL_TTL_SECONDS", "5")
    monkeypatch.setenv("MODEL_CACHE_MB", "100")
    monkeypatch.setenv("MODEL_MAX_MB", "2")
    made = store.from_environment()
    assert isinstance(made.source, Bucket)
    assert (made.source.name, made.source.max_bytes) == ("models", 2_000_000)
    assert (made.ttl, made.capacity) == (5.0, 100_000_000)
