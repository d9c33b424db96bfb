import json
import threading
from collections.abc import Iterator

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
    make_client,
)
from tests.score.faulty_s3 import FaultyS3


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)


@pytest.fixture
def s3() -> Iterator[Bucket]:
    with mock_aws():
        live = Bucket("models")
        live.client.create_bucket(Bucket="models")
        live.client.put_bucket_versioning(
            Bucket="models", VersioningConfiguration={"Status": "Enabled"}
        )
        yield live


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    server = FaultyS3()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
    yield server
    server.stop()


def impatient(**limits: float) -> Bucket:
    return Bucket("models", make_client(0.3, 0.3, 2), **{"call_seconds": 2.0, **limits})


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


def test_versions_are_newest_first_and_of_that_model_only(s3: Bucket) -> None:
    puts = [s3.put("hello", body) for body in (b"1", b"22", b"333")]
    s3.put("hello-2", b"other")
    found = s3.versions("hello")
    assert [item.version for item in found] == puts[::-1]
    assert [item.size for item in found] == [3, 2, 1]


def test_list_pages_through_live_models_only(s3: Bucket) -> None:
    versions = {name: s3.put(name, b"x" * n) for n, name in enumerate(["a", "b", "b2", "c"])}
    for key in ("live/sub/x.pfa", "live/no-model.txt", "models/z.pfa", "live/"):
        s3.client.put_object(Bucket="models", Key=key, Body=b"")
    s3.client.delete_object(Bucket="models", Key="live/b2.pfa")
    assert [item.name for item in s3.list(10)] == ["a", "b", "c"]
    assert [item.name for item in s3.list(2)] == ["a", "b"]
    assert [item.name for item in s3.list(2, "b")] == ["c"]
    assert s3.list(2, "c") == []
    listed = s3.list(1)[0]
    assert (listed.name, listed.version, listed.size) == ("a", versions["a"], 0)
    assert listed.modified.utcoffset() is not None


@pytest.mark.parametrize("status", [403, 404])
def test_a_model_that_cannot_be_read_leaves_no_gap_in_a_listing(
    s3: Bucket, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    head = s3.client.head_object

    def refuse(Key: str, **more: str) -> object:  # noqa: N803 - boto3's name
        if Key in ("live/b.pfa", "live/e.pfa"):
            answer = {"ResponseMetadata": {"HTTPStatusCode": status}}
            raise ClientError(answer, "HeadObject")  # type: ignore[arg-type]
        return head(Key=Key, **more)

    for name in "abcde":
        s3.put(name, b"{}")
    monkeypatch.setattr(s3.client, "head_object", refuse)
    assert [item.name for item in s3.list(2)] == ["a", "c"]
    assert [item.name for item in s3.list(2, "c")] == ["d"]
    assert [item.name for item in s3.list(10)] == ["a", "c", "d"]


def test_a_listing_of_models_none_of_which_can_be_read_ends(
    s3: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.call_seconds = 0.5
    asked = []

    def ask(name: str) -> None:
        asked.append(name)

    monkeypatch.setattr(s3, "_names", lambda limit, _: ["x"] * limit)
    monkeypatch.setattr(s3, "_head", ask)
    with pytest.raises(BucketError, match=r"no answer|too slow"):
        s3.list(2)
    assert asked


def test_names_go_on_past_a_page_of_s3(s3: Bucket) -> None:
    for n in range(1003):
        s3.client.put_object(Bucket="models", Key=f"live/m{n:04d}.pfa", Body=b"")
    assert s3.names(5000) == [f"m{n:04d}" for n in range(1003)]


@pytest.mark.parametrize("mode", ["hang", "half", "drip", "down", "garbage", "denied"])
def test_a_sick_s3_ends_in_a_bucket_error(faulty: FaultyS3, mode: str) -> None:
    faulty.objects["live/hello.pfa"] = json.dumps({"x": "y" * 1000}).encode()
    live = impatient()
    assert live.get_if_changed("hello").version
    faulty.mode = mode
    with pytest.raises(BucketError) as caught:
        live.get_if_changed("hello")
    assert not isinstance(caught.value, MissingError)


def test_a_body_of_another_length_is_refused(faulty: FaultyS3) -> None:
    class Lying:
        """A client whose answer is shorter than it says, and ends well."""

        def get_object(self, **_: object) -> dict[str, object]:
            class Body:
                def iter_chunks(self, _: int) -> Iterator[bytes]:
                    yield b"1234"

                def close(self) -> None:
                    pass

            return {"Body": Body(), "ContentLength": 5, "ETag": '"x"'}

    with pytest.raises(BucketError, match="4 of 5 bytes"):
        Bucket("models", Lying()).get_if_changed("hello")  # type: ignore[arg-type]


def test_s3_that_nobody_listens_on(faulty: FaultyS3) -> None:
    live = impatient()
    faulty.stop()
    with pytest.raises(BucketError, match="EndpointConnectionError"):
        live.get_if_changed("hello")
    with pytest.raises(BucketError):
        live.list(10)


def test_a_name_server_that_hangs_does_not_hold_the_caller(
    s3: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    monkeypatch.setattr(s3, "_get", lambda *_: released.wait(30))
    with pytest.raises(BucketError, match="no answer"):
        s3.get_if_changed("hello", seconds=0.2)
    released.set()


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


def test_errors_keep_what_s3_says_to_themselves(faulty: FaultyS3) -> None:
    faulty.mode = "denied"
    with pytest.raises(RefusedError) as caught:
        impatient().get_if_changed("hello")
    assert str(caught.value) == "S3 refuses: 403 AccessDenied"


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


@pytest.mark.parametrize(("name", "version"), [("../x", "1"), ("x", "../1"), ("x", ""), ("", "1")])
def test_keys_of_reports(name, version):
    assert bucket.report_key("hello", "a.b_c-1") == "reports/hello/a.b_c-1.json"
    with pytest.raises(ValueError, match="not a"):
        bucket.report_key(name, version)


# --- documents with artifacts, routes, versions


def with_artifact(s3: Bucket, body: bytes, **other: str) -> str:
    version = s3.put_object("live/hello.artifact", b"compiled")
    return s3.put("hello", body, {"artifact-key": "k 1", "artifact-version": version, **other})


@pytest.mark.parametrize("size", [10, bucket.SMALL_BYTES, bucket.SMALL_BYTES + 1])
def test_an_artifact_that_fits_comes_instead_of_the_body(s3: Bucket, size: int) -> None:
    version = with_artifact(s3, b"x" * size)
    s3.put_object("live/hello.artifact", b"of a later one")
    found = s3.get_if_changed("hello", artifact_key="k 1")
    assert isinstance(found, Document)
    assert (found.artifact, found.version, found.size) == (b"compiled", version, size)
    assert found.body == (b"" if size > bucket.SMALL_BYTES else b"x" * size)
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
    s3.put_object("live/hello.routes.json", b"x" * (bucket.MAX_ROUTES_BYTES + 1))
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


def test_versions_go_on_past_pages_and_deletions(s3: Bucket) -> None:
    puts = []
    for n in range(4):
        puts.append(s3.put("hello", b"%d" % n))
        s3.delete("live/hello.pfa")
    s3.put("hello-2", b"other")
    s3.client.put_object(Bucket="models", Key="live/hello.pfa.bak", Body=b"")
    s3.client.put_object(Bucket="models", Key="live/hello", Body=b"")
    newest = puts[::-1]
    for limit in range(1, 6):
        assert [item.version for item in s3.versions("hello", limit)] == newest[:limit]
    assert [item.version for item in s3.versions("hello", 2, newest[1])] == newest[2:]
    assert s3.versions("hello", 2, newest[3]) == []
    assert not any(item.live for item in s3.versions("hello"))
    puts.append(s3.put("hello", b"again"))
    assert [item.live for item in s3.versions("hello")] == [True] + [False] * 4
    assert {name for name, _ in s3.all_versions(100)} == {"hello", "hello-2"}
    assert len(s3.all_versions(100)) == 6
    assert len(s3.all_versions(3)) == 3


def test_a_history_has_the_metadata_of_each(s3: Bucket) -> None:
    puts = [s3.put("hello", b"%d" % n, {"sha256": f"{n}"}) for n in range(20)]
    found = s3.history("hello", 15)
    assert [item.version for item in found] == puts[::-1][:15]
    assert [item.metadata["sha256"] for item in found] == [f"{n}" for n in range(19, 4, -1)]


def test_a_client_can_be_closed_and_is_made_anew(faulty: FaultyS3) -> None:
    faulty.objects["live/hello.pfa"] = b"{}"
    live = impatient()
    live.get_if_changed("hello")
    client = live.client
    live.close()
    live.get_if_changed("hello")
    live.reopen()
    assert live.client is not client
    live.get_if_changed("hello")
