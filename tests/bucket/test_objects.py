import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

import bucket
from bucket import (
    Bucket,
    BucketError,
    ConflictError,
    Document,
    MissingError,
    RefusedError,
    TooLargeError,
    Unchanged,
    objects,
)
from tests.bucket.conftest import impatient
from tests.score.faulty_s3 import FaultyS3


def test_get_gives_what_was_put_and_its_version(s3: Bucket) -> None:
    version = s3.put("hello", b"{}", {"sha256": "abc"})
    document = s3.get_if_changed("hello")
    assert isinstance(document, Document)
    assert (document.body, document.version) == (b"{}", version)
    stored = s3.client.head_object(Bucket="models", Key="live/hello.pfa")
    assert stored["Metadata"] == {"sha256": "abc"}


def test_get_with_the_current_etag_gives_nothing(s3: Bucket) -> None:
    s3.put("hello", b"one")
    first = s3.get_if_changed("hello")
    assert isinstance(first, Document)
    assert s3.get_if_changed("hello", first.etag) == Unchanged(first.version)
    again = s3.put("hello", b"one")
    assert s3.get_if_changed("hello", first.etag) == Unchanged(again)
    s3.put("hello", b"two")
    second = s3.get_if_changed("hello", first.etag)
    assert isinstance(second, Document)
    assert second.body == b"two"
    assert second.version != first.version


def test_a_key_that_is_not_there_or_was_deleted_is_missing(s3: Bucket) -> None:
    with pytest.raises(MissingError):
        s3.get_if_changed("hello")
    s3.put("hello", b"{}")
    document = s3.get_if_changed("hello")
    assert isinstance(document, Document)
    s3.client.delete_object(Bucket="models", Key="live/hello.pfa")
    with pytest.raises(MissingError):
        s3.get_if_changed("hello", document.etag)


def test_a_missing_bucket_is_not_a_missing_model(s3: Bucket) -> None:
    with pytest.raises(RefusedError) as caught:
        Bucket("elsewhere", s3.client).get_if_changed("hello")
    assert caught.value.code == "NoSuchBucket"


@pytest.mark.parametrize(
    "name", ["", "a/b", "../a", "a.b", "a b", "é", "-a", "a\n", "a" * 65, "a%2e", "\x00"]
)
def test_no_call_is_made_for_what_is_no_name(s3: Bucket, name: str) -> None:
    assert not bucket.is_model_name(name)
    with pytest.raises(ValueError, match="name"):
        s3.get_if_changed(name)


def test_a_document_over_the_limit_is_not_read(s3: Bucket) -> None:
    s3.put("big", b"x" * 101)
    assert Bucket("models", s3.client, max_bytes=101).get_if_changed("big").version
    with pytest.raises(TooLargeError, match="101 bytes"):
        Bucket("models", s3.client, max_bytes=100).get_if_changed("big")


def test_an_unversioned_object_is_named_by_its_etag() -> None:
    with mock_aws():
        plain = Bucket("plain")
        plain.client.create_bucket(Bucket="plain")
        version = plain.put("hello", b"{}")
        document = plain.get_if_changed("hello")
        assert isinstance(document, Document)
        assert version == document.version == f"etag-{document.etag[1:13]}"
        assert [item.version for item in plain.list(10)] == [version]


def test_forbidden_is_missing_only_if_a_listing_says_so(
    s3: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(**_: object) -> None:
        answer = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        raise ClientError(answer, "GetObject")  # type: ignore[arg-type]

    version = s3.put("hello", b"{}")
    monkeypatch.setattr(s3.client, "get_object", forbidden)
    with pytest.raises(MissingError):
        s3.get_if_changed("hell")  # "live/hell.pfa" is not there, though "live/hello.pfa" is
    with pytest.raises(RefusedError, match="403 AccessDenied"):
        s3.get_if_changed("hello")
    with pytest.raises(MissingError):
        s3.get_if_changed("hello", version="no-such")
    with pytest.raises(RefusedError):
        s3.get_if_changed("hello", version=version)
    monkeypatch.setattr(s3.client, "list_objects_v2", forbidden)
    monkeypatch.setattr(s3.client, "list_object_versions", forbidden)
    for version in (None, "no-such"):
        with pytest.raises(RefusedError):
            s3.get_if_changed("hell", version=version)


def test_conditional_writes(s3):
    key = bucket.live_key("hello")
    first = s3.put_object(key, b"one", {"sha256": "1"}, only_over="")
    with pytest.raises(ConflictError):
        s3.put_object(key, b"two", only_over="")
    head = s3.head(key)
    assert (head.version, head.size, head.metadata) == (first, 3, {"sha256": "1"})
    second = s3.put_object(key, b"two", only_over=head.etag)
    with pytest.raises(ConflictError):
        s3.put_object(key, b"three", only_over=head.etag)
    assert s3.get(key).body == b"two"
    assert (s3.get(key, first).body, s3.get(key, first).version) == (b"one", first)
    assert s3.get(key, first).metadata == {"sha256": "1"}
    assert [item.version for item in s3.versions("hello")] == [second, first]
    s3.delete(key)
    assert s3.head(key) is None
    assert s3.head(key, first).version == first
    for missing in ({"version": None}, {"version": "no-such"}):
        with pytest.raises(MissingError):
            s3.get(key, **missing)
        assert s3.head(key, **missing) is None
    with pytest.raises(ConflictError):
        s3.put_object(key, b"two", only_over=head.etag)
    assert s3.put_object(key, b"again", only_over="")


def with_artifact(s3: Bucket, body: bytes, **other: str) -> str:
    version = s3.put_object("live/hello.artifact", b"compiled")
    return s3.put("hello", body, {"artifact-key": "k 1", "artifact-version": version, **other})


@pytest.mark.parametrize("size", [10, objects.SMALL_BYTES, objects.SMALL_BYTES + 1])
def test_an_artifact_that_fits_comes_instead_of_the_body(s3: Bucket, size: int) -> None:
    version = with_artifact(s3, b"x" * size)
    s3.put_object("live/hello.artifact", b"of a later one")
    found = s3.get_if_changed("hello", artifact_key="k 1")
    assert isinstance(found, Document)
    assert (found.artifact, found.version, found.size) == (b"compiled", version, size)
    assert found.body == (b"" if size > objects.SMALL_BYTES else b"x" * size)
    assert s3.get_if_changed("hello", found.etag, artifact_key="k 1") == Unchanged(version)
    for key in ("", "k 2"):
        plain = s3.get_if_changed("hello", artifact_key=key)
        assert isinstance(plain, Document)
        assert (plain.artifact, plain.body, plain.size) == (None, b"x" * size, size)


@pytest.mark.parametrize("version", ["", "made-up", "../x", "x y", "etag-0123456789ab"])
def test_an_artifact_that_cannot_be_had_is_empty(s3: Bucket, version: str) -> None:
    with_artifact(s3, b"{}", **{"artifact-version": version})
    found = s3.get_if_changed("hello", artifact_key="k 1")
    assert isinstance(found, Document)
    assert found.artifact == b""
    assert s3.get_if_changed("hello", version=found.version) == found._replace(artifact=None)


def test_an_artifact_over_the_limit_is_not_read(s3: Bucket) -> None:
    with_artifact(s3, b"{}")
    found = Bucket("models", s3.client, max_bytes=7).get_if_changed("hello", artifact_key="k 1")
    assert isinstance(found, Document)
    assert (found.body, found.artifact) == (b"{}", b"")


def test_a_version_of_a_model(s3: Bucket) -> None:
    old, new = s3.put("hello", b"1"), s3.put("hello", b"2")
    found = s3.get_if_changed("hello", version=old)
    assert isinstance(found, Document)
    assert (found.body, found.version) == (b"1", old)
    assert s3.get_if_changed("hello", found.etag, version=old) == Unchanged(old)
    marker = s3.client.delete_object(Bucket="models", Key="live/hello.pfa")["VersionId"]
    for version in (marker, "made-up", "x" * 128):
        with pytest.raises(MissingError):
            s3.get_if_changed("hello", version=version)
    assert s3.get(bucket.live_key("hello"), new).body == b"2"


def test_s3_says_400_of_what_is_no_version_id(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        answer = {
            "Error": {"Code": "InvalidArgument"},
            "ResponseMetadata": {"HTTPStatusCode": 400},
        }
        raise ClientError(answer, "GetObject")  # type: ignore[arg-type]

    monkeypatch.setattr(s3.client, "get_object", refuse)
    with pytest.raises(MissingError):
        s3.get_if_changed("hello", version="made-up")
    with pytest.raises(RefusedError):
        s3.get_if_changed("hello")


def test_routes_are_none_new_or_unchanged(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingError):
        s3.ask_routes("hello")()
    version = s3.put_object("live/hello.routes.json", b"{}")
    found = s3.ask_routes("hello")()
    assert isinstance(found, Document)
    assert (found.body, found.version) == (b"{}", version)
    assert s3.ask_routes("hello", found.etag)() == Unchanged(version)
    s3.put_object("live/hello.routes.json", b"x" * (objects.MAX_ROUTES_BYTES + 1))
    with pytest.raises(TooLargeError):
        s3.ask_routes("hello", found.etag)()
    with pytest.raises(RefusedError):
        Bucket("elsewhere", s3.client).ask_routes("hello")()
    with pytest.raises(ValueError, match="name"):
        s3.ask_routes("../x")


def test_routes_that_are_refused_are_none_without_another_call(faulty: FaultyS3) -> None:
    faulty.mode = "denied"
    with pytest.raises(MissingError):
        impatient().ask_routes("hello")()
    assert faulty.calls == ["live/hello.routes.json"]


@pytest.mark.parametrize("mode", ["hang", "half", "drip", "down", "garbage"])
def test_routes_of_a_sick_s3_end_in_a_bucket_error(faulty: FaultyS3, mode: str) -> None:
    faulty.objects["live/hello.routes.json"] = b"x" * 1000
    faulty.mode = mode
    with pytest.raises(BucketError) as caught:
        impatient().ask_routes("hello", seconds=1.0)()
    assert not isinstance(caught.value, MissingError)
