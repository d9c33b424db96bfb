import pytest
from botocore.exceptions import ClientError

from bucket import Bucket, BucketError, listings


def test_versions_are_newest_first_and_of_that_model_only(s3: Bucket) -> None:
    puts = [s3.put("hello", body) for body in (b"1", b"22", b"333")]
    s3.put("hello-2", b"other")
    found = s3.versions("hello")
    assert [item.version for item in found] == puts[::-1]
    assert [item.size for item in found] == [3, 2, 1]


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


def test_the_versions_of_an_upload(s3: Bucket) -> None:
    puts = [s3.put_object("models/hello.routes.json", b"%d" % n) for n in range(5)]
    s3.delete("models/hello.routes.json")
    s3.put_object("models/hello.routes.json.bak", b"other")
    assert s3.uploads("models/hello.routes.json", 10) == puts[::-1]
    assert s3.uploads("models/hello.routes.json", 2) == puts[:2:-1]
    assert s3.uploads("models/hello.pfa", 2) == []


def test_a_history_has_the_metadata_of_each(s3: Bucket) -> None:
    puts = [s3.put("hello", b"%d" % n, {"sha256": f"{n}"}) for n in range(20)]
    found = s3.history("hello", 15)
    assert [item.version for item in found] == puts[::-1][:15]
    assert [item.metadata["sha256"] for item in found] == [f"{n}" for n in range(19, 4, -1)]


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

    def ask(client: object, bucket: str, name: str) -> None:
        asked.append(name)

    monkeypatch.setattr(listings, "names", lambda *where: ["x"] * where[2])
    monkeypatch.setattr(listings, "_model", ask)
    with pytest.raises(BucketError, match=r"no answer|too slow"):
        s3.list(2)
    assert asked


def test_names_go_on_past_a_page_of_s3(s3: Bucket) -> None:
    for n in range(1003):
        s3.client.put_object(Bucket="models", Key=f"live/m{n:04d}.pfa", Body=b"")
    assert s3.names(5000) == [f"m{n:04d}" for n in range(1003)]
