import json
import threading
from collections.abc import Iterator

import pytest

from bucket import Bucket, BucketError, MissingError, RefusedError
from tests.bucket.conftest import impatient
from tests.score.faulty_s3 import FaultyS3


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


def test_errors_keep_what_s3_says_to_themselves(faulty: FaultyS3) -> None:
    faulty.mode = "denied"
    with pytest.raises(RefusedError) as caught:
        impatient().get_if_changed("hello")
    assert str(caught.value) == "S3 refuses: 403 AccessDenied"


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
