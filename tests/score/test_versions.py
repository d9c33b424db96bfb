"""Versions of a model: listed, and asked for as such."""

import json
from datetime import datetime
from pathlib import Path

import pytest

import bucket
import pfa
from bucket import Bucket, BucketError, make_client
from score import absent, slot, store
from score.packaged import Folder
from score.slot import UnavailableError, UnknownModelError, UnknownVersionError
from score.store import ModelStore
from tests.score.conftest import Client, Clock, CountingBucket, adder, facts, promote
from tests.score.faulty_s3 import FaultyS3
from tests.score.test_app import expect

UNKNOWN = ("unknown-version", "The model has no such version", "The model has no such version.")


def listed(call: Client, name: str = "hello", **query: str) -> dict[str, object]:
    answer = call("GET", f"/models/{name}/versions", query=query or None)
    assert answer.status == 200
    return answer.json


def test_versions_are_listed_newest_first(call: Client, s3: CountingBucket) -> None:
    old = s3.put("hello", adder(1))
    new = promote(s3, "hello", adder(2))
    promote(s3, "hello-2", adder(3))
    found = listed(call)
    assert found.keys() == {"name", "versions"}
    first, second = found["versions"]
    assert datetime.fromisoformat(first.pop("modified")).utcoffset() is not None
    assert first == {
        "version": new,
        "size": len(adder(2)),
        "live": True,
        "sha256": facts(adder(2))["sha256"],
        "source": "upload-1",
        "examples": 7,
    }
    assert second.keys() == {"version", "size", "modified", "live"}
    assert (second["version"], second["live"]) == (old, False)


def test_versions_come_in_pages(call: Client, s3: CountingBucket) -> None:
    puts = [promote(s3, "hello", adder(n), b"x") for n in range(5)][::-1]
    seen, after = [], {}
    while True:
        page = listed(call, limit="2", **after)
        seen += [item["version"] for item in page["versions"]]
        assert len(page["versions"]) <= 2
        if "next" not in page:
            break
        after = {"after": page["next"]}
    assert seen == puts


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"after": "../x"}])
def test_a_wrong_query(call: Client, s3: CountingBucket, query: dict[str, str]) -> None:
    promote(s3, "hello", adder(1))
    answer = call("GET", "/models/hello/versions", query=query)
    assert (answer.status, answer.json["type"]) == (400, "urn:pfa-score:bad-query")


def test_an_after_that_s3_does_not_take(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise bucket.RefusedError(400, "InvalidArgument")

    monkeypatch.setattr(s3, "history", refuse)
    answer = call("GET", "/models/hello/versions", query={"after": "made-up"})
    assert (answer.status, answer.json["type"]) == (400, "urn:pfa-score:bad-query")
    assert call("GET", "/models/hello/versions").status == 503


def test_versions_of_what_is_deleted_or_was_never_there(call: Client, s3: CountingBucket) -> None:
    version = promote(s3, "hello", adder(1))
    s3.delete("live/hello.pfa")
    found = listed(call)
    assert [(item["version"], item["live"]) for item in found["versions"]] == [(version, False)]
    for name in ("never", "..", "a.b"):
        answer = call("GET", f"/models/{name}/versions")
        expect(answer, 404, "unknown-model", "There is no such model", "There is no such model.")


def test_a_version_that_goes_while_it_is_listed_is_still_one(
    s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = [promote(s3, "hello", adder(n), b"x") for n in range(3)]
    head = s3.head
    monkeypatch.setattr(
        s3, "head", lambda key, version: None if version == versions[1] else head(key, version)
    )
    found = s3.history("hello", 10)
    assert [item.version for item in found] == versions[::-1]
    assert [bool(item.metadata) for item in found] == [True, False, True]


def test_a_version_answers_whatever_is_live(
    call: Client, s3: CountingBucket, clock: Clock, models: ModelStore
) -> None:
    old = promote(s3, "hello", adder(1))
    new = promote(s3, "hello", adder(2))
    path = f"/models/hello/versions/{old}/score"
    answer = call("POST", path, "0")
    assert answer.text == "1.0"
    assert answer.headers["x-model-version"] == old
    assert answer.headers["x-model-name"] == "hello"
    assert answer.headers["etag"] == f'"{facts(adder(1))["sha256"]}"'
    assert call.metrics["ScoredRecords"] == 1
    (line,) = [line for line in call.lines if "ScoredRecords" in line]
    assert (line["model"], line["version"]) == ("hello", old)
    assert call.score("0").headers["x-model-version"] == new
    asked = len(s3.asked)
    clock.now += 10_000
    assert call("POST", path, "0").text == "1.0"
    assert len(s3.asked) == asked  # it never changes
    s3.delete("live/hello.pfa")
    assert call("POST", path, "0").text == "1.0"
    assert call.score("0").status == 404
    assert call("POST", path, '"x"').status == 422
    assert call("POST", path, '"x"').headers["x-model-version"] == old
    assert list(models._slots) == [f"hello@{old}"]


def test_the_live_version_is_not_loaded_twice(
    s3: CountingBucket, models: ModelStore, clock: Clock
) -> None:
    version = promote(s3, "hello", adder(1))
    live = models.get("hello")
    assert models.get("hello", version=version) is live
    promote(s3, "hello", b"{", b"")
    clock.now += 60
    assert models.get("hello").stale
    pinned = models.get("hello", version=version)
    assert (pinned.model, pinned.stale) == (live.model, False)
    assert list(models._slots) == ["hello"]


def test_versions_that_are_not_there(call: Client, s3: CountingBucket) -> None:
    version = promote(s3, "hello", adder(1))
    other = promote(s3, "other", adder(1))
    marker = s3.client.delete_object(Bucket="models", Key="live/hello.pfa")["VersionId"]
    for wrong in ("made-up", other, marker):
        answer = call("POST", f"/models/hello/versions/{wrong}/score", "0")
        expect(answer, 404, *UNKNOWN)
        assert answer.headers.get("x-model-version") is None
    assert call("POST", f"/models/hello/versions/{version}/score", "0").status == 200
    s3.asked.clear()
    for wrong in ("a b", "x" * 129, "a@b", "é", "a%2f"):
        answer = call("POST", f"/models/hello/versions/{wrong}/score", "0")
        expect(answer, 404, *UNKNOWN)
    answer = call("POST", f"/models/a.b/versions/{version}/score", "0")
    assert (answer.status, answer.json["type"]) == (404, "urn:pfa-score:unknown-model")
    assert s3.asked == []


def test_a_flood_of_made_up_versions_is_bounded(
    models: ModelStore, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings = []
    own = s3.all_versions
    monkeypatch.setattr(s3, "all_versions", lambda limit: listings.append(1) or own(limit))
    version = promote(s3, "hello", adder(1))
    new = promote(s3, "hello", adder(2))
    models.get("hello")
    s3.asked.clear()
    for n in range(1000):
        with pytest.raises(UnknownVersionError):
            models.get("hello", version=f"made-up-{n}")
        with pytest.raises(UnknownModelError):
            models.versions(f"made-up-{n}", 10)
    assert len(s3.asked) <= absent.MAX_LOOKUPS
    assert len(listings) == 1
    assert list(models._slots) == ["hello"]
    # What is there can be had in the midst of it.
    assert models.get("hello", version=version).model.score(0.0) == 1.0
    assert models.get("hello", version=new).model.score(0.0) == 2.0
    assert len(models.versions("hello", 10)) == 2
    clock.now += absent.REMEMBER_SECONDS
    with pytest.raises(UnknownVersionError):
        models.get("hello", version="made-up-0")


def test_versions_share_the_memory_with_live_models(
    s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(store.loading, "resident_bytes", lambda: 0)
    models = ModelStore(s3, ttl=60, capacity=3 * 101_000 + 50_000, clock=clock)
    versions = [s3.put("hello", adder(n)) for n in range(4)]
    models.get("hello")
    for version in versions[:3]:
        models.get("hello", version=version)
        models.get("hello")
    assert list(models._slots) == [f"hello@{versions[1]}", f"hello@{versions[2]}", "hello"]
    (gone,) = [line for line in capsys.readouterr().out.splitlines() if "ModelEvicted" in line]
    assert json.loads(gone)["model"] == "hello"  # no dimension of a version's


def test_a_broken_version_is_unavailable_and_loaded_once(
    models: ModelStore, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = s3.put("hello", b"{")
    s3.put("hello", adder(1))
    assert models.get("hello").model.score(0.0) == 1.0
    for _ in range(3):
        with pytest.raises(UnavailableError):
            models.get("hello", version=version)
        monkeypatch.setattr(pfa, "load", pytest.fail)
        clock.now += 60
    assert models.get("hello").stale is False


def test_a_sick_s3_and_a_version(faulty: FaultyS3, clock: Clock) -> None:
    faulty.objects["live/hello.pfa"] = adder(1)
    models = ModelStore(
        Bucket("models", make_client(0.3, 0.3, 2), call_seconds=1.0), ttl=60, clock=clock
    )
    faulty.mode = "down"
    with pytest.raises(UnavailableError):
        models.get("hello", version="v-1")
    with pytest.raises(UnavailableError):
        models.versions("hello", 10)
    faulty.mode = "ok"
    clock.now += slot.BACKOFF_SECONDS[1]
    assert models.get("hello", version="v-1").model.score(0.0) == 1.0
    faulty.mode = "down"
    clock.now += 10_000
    assert not models.get("hello", version="v-1").stale


def test_a_hurried_failure_says_nothing_about_the_source(faulty: FaultyS3, clock: Clock) -> None:
    faulty.objects["live/hello.pfa"] = adder(1)
    models = ModelStore(
        Bucket("models", make_client(2, 2, 1), call_seconds=3.0), ttl=60, clock=clock
    )
    faulty.mode = "hang"
    with pytest.raises(UnavailableError):
        models.get("hello", 0.1, "v-1", hurried=True)
    faulty.mode = "ok"
    assert models.get("hello").model.score(0.0) == 1.0
    assert models.get("hello", version="v-1").model.score(0.0) == 1.0  # with more time, at once


def test_an_unversioned_bucket_has_one_version(models: ModelStore, clock: Clock) -> None:
    source = models.source
    assert isinstance(source, Bucket)
    source.client.create_bucket(Bucket="plain")
    plain = Bucket("plain", source.client)
    version = promote(plain, "hello", adder(1))
    models = ModelStore(plain, clock=clock)
    entry = models.get("hello")
    assert (entry.version, entry.model.score(0.0)) == (version, 1.0)
    assert not store.loading.is_whole(entry.model)
    assert [item.version for item in models.versions("hello", 1)] == [version]
    assert models.versions("hello", 1, version) == []
    assert ModelStore(plain, clock=clock).get("hello", version=version).version == version
    with pytest.raises(UnknownVersionError):
        models.get("hello", version="etag-0123456789ab")
    assert plain.head("live/hello.pfa", "etag-0123456789ab") is None


def test_packaged_models_have_one_version(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "hello.pfa").write_bytes(adder(1))
    models = ModelStore(Folder(tmp_path), ttl=60, clock=clock)
    (only,) = models.versions("hello", 10)
    assert only.version == models.get("hello").version
    assert only.metadata == {"sha256": facts(adder(1))["sha256"]}
    assert models.versions("hello", 10, only.version) == []
    assert models.get("hello", version=only.version) is models.get("hello")
    for name in ("nope", "../hello"):
        with pytest.raises(UnknownModelError):
            models.versions(name, 10)
    with pytest.raises(UnknownVersionError):
        models.get("hello", version="packaged-000000000000")
    fresh = ModelStore(Folder(tmp_path), ttl=60, clock=clock)
    assert fresh.get("hello", version=only.version).model.score(0.0) == 1.0
    assert fresh.source.all_versions(10) == [("hello", only.version)]


def test_s3_that_is_too_slow_to_list_versions(
    s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(s3, "hello", adder(1), b"x")
    s3.call_seconds = 0.0
    for ask in (lambda: s3.history("hello", 5), lambda: s3.all_versions(5)):
        with pytest.raises(BucketError, match=r"no answer|too slow"):
            ask()
