"""A live model is replaced, broken, deleted, or S3 dies, while requests go on.

The documents are put past the gate, which would refuse the broken ones; see test_gate.py.
"""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.local_cloud import LocalCloud
from tests.end_to_end.conftest import NO_TTL, Callers, adding, http_client

pytestmark = pytest.mark.end_to_end


def test_rolling_under_load_loses_no_request_and_mixes_none(cloud: LocalCloud) -> None:
    versions = {cloud.put_model("rolled", adding(0)): 0}
    with Callers(cloud, "rolled", 4) as callers:
        for number in range(1, 13):
            callers.wait_for(20)
            versions[cloud.put_model("rolled", adding(number))] = number
        callers.wait_for(20)
    assert not callers.failures
    seen: Counter[int] = Counter()
    for number, response in callers.answers:
        assert response.status_code == 200, response.text
        version = versions[response.headers["x-model-version"]]
        assert response.json() == [number, version, number + version]
        seen[version] += 1
    assert set(seen) == set(range(13))
    cloud.delete_model("rolled")


def test_a_caller_never_sees_an_older_model_after_a_newer_one(
    cloud: LocalCloud, client: httpx.Client, live: Callable[[Any], str]
) -> None:
    name = live(adding(0))
    for number in range(1, 6):
        version = cloud.put_model(name, adding(number))
        response = client.post(f"/models/{name}/score", json=1)
        assert response.headers["x-model-version"] == version
        assert response.json()[1] == number


def test_half_a_document_leaves_the_last_good_model(
    cloud: LocalCloud, client: httpx.Client, live: Callable[[Any], str]
) -> None:
    name = live(adding(1))
    path = f"/models/{name}/score"
    fresh = client.post(path, json=1)
    assert "x-model-stale" not in fresh.headers
    cloud.put_model(name, adding(2)[:60])
    stale = client.post(path, json=1)
    assert (stale.status_code, stale.json()[1]) == (200, 1)
    assert stale.headers["x-model-stale"] == "true"
    assert stale.headers["x-model-version"] == fresh.headers["x-model-version"]
    cloud.put_model(name, adding(3))
    mended = client.post(path, json=1)
    assert mended.json()[1] == 3
    assert "x-model-stale" not in mended.headers


def test_deleted_model_is_404(
    cloud: LocalCloud, client: httpx.Client, live: Callable[[Any], str]
) -> None:
    name = live(adding(1))
    assert client.post(f"/models/{name}/score", json=1).status_code == 200
    cloud.delete_model(name)
    assert client.post(f"/models/{name}/score", json=1).status_code == 404


def test_model_of_8_megabytes(
    cloud: LocalCloud, client: httpx.Client, live: Callable[[Any], str]
) -> None:
    table = [[float(row * 100 + column) for column in range(100)] for row in range(10_000)]
    row = {"type": "array", "items": "double"}
    document = {
        "input": "int",
        "output": "double",
        "cells": {"table": {"type": {"type": "array", "items": row}, "init": table}},
        "action": {"cell": "table", "path": ["input", {"int": 7}]},
    }
    body = json.dumps(document).encode()
    assert len(body) > 8_000_000
    name = live(body)
    for record in (0, 9_999):
        response = client.post(f"/models/{name}/score", json=record)
        assert response.status_code == 200, response.text
        assert response.json() == record * 100 + 7.0


@pytest.fixture
def frail(artefact: Path, documents: dict[str, bytes]) -> Iterator[LocalCloud]:
    """A cloud of its own, whose S3 may die."""
    with LocalCloud(artefact, emulators=2, overrides=NO_TTL) as cloud:
        cloud.put_model("model", adding(1))
        # Both have loaded it: one that starts while S3 is down has no last good model.
        with cloud.pool.emulator(10) as one, cloud.pool.emulator(10) as other:
            for emulator in (one, other):
                answer = emulator.invoke(b'{"model": "model", "record": 1}', timeout=30)
                assert answer.payload == b"[1, 1, 2]"
        yield cloud


class Choking(ThreadingHTTPServer):
    """Between the function and S3: passes on, or gives half a document, or a byte a second."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.s3_port = 0
        self.mode = "pass"
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    class Handler(BaseHTTPRequestHandler):
        server: "Choking"

        def do_GET(self) -> None:
            s3 = http.client.HTTPConnection("127.0.0.1", self.server.s3_port)
            s3.request("GET", self.path, headers=dict(self.headers))
            answer = s3.getresponse()
            body = answer.read()
            s3.close()
            self.send_response_only(answer.status)
            for key, value in answer.getheaders():
                self.send_header(key, value)
            self.end_headers()
            half = len(body) // 2
            if self.server.mode == "pass" or answer.status != 200:
                self.wfile.write(body)
            elif self.server.mode == "half":
                self.wfile.write(body[:half])
            else:
                for index in range(half, len(body)):
                    self.wfile.write(body[index : index + 1])
                    time.sleep(1)

        def log_message(self, format: str, *args: object) -> None:
            pass

    def handle_error(self, request: object, client_address: object) -> None:
        """The function hangs up on a drip, as it should."""


@pytest.mark.parametrize("mode", ["half", "drip"])
def test_s3_that_dies_or_drips_inside_a_document(artefact: Path, mode: str) -> None:
    with Choking() as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
        thread.start()
        overrides = {**NO_TTL, "AWS_ENDPOINT_URL_S3": proxy.url}
        try:
            with LocalCloud(artefact, emulators=1, overrides=overrides) as cloud:
                proxy.s3_port = cloud.s3.port
                cloud.put_model("model", adding(1))
                with http_client(cloud) as client:
                    fresh = client.post("/models/model/score", json=1)
                    assert fresh.json() == [1, 1, 2]
                    cloud.put_model("model", adding(2))
                    proxy.mode = mode
                    stale = client.post("/models/model/score", json=1)
                    assert (stale.status_code, stale.json()) == (200, [1, 1, 2])
                    assert stale.headers["x-model-stale"] == "true"
                    proxy.mode = "pass"
                    eventually(
                        lambda: client.post("/models/model/score", json=1),
                        lambda answer: answer.json() == [1, 2, 3],
                    )
        finally:
            proxy.shutdown()
            thread.join()


def eventually(call: Callable[[], httpx.Response], right: Callable[[httpx.Response], bool]) -> None:
    """Repeat a request until its answer is right; the store asks S3 again after 5 to 60 s."""
    give_up = time.monotonic() + 100
    while not right(response := call()):
        assert response.status_code == 200, response.text
        assert time.monotonic() < give_up, response.headers
        time.sleep(0.2)


def test_s3_dies_in_the_middle_of_a_roll_and_comes_back(frail: LocalCloud) -> None:
    with Callers(frail, "model", 2) as callers:
        callers.wait_for(10)
        frail.put_model("model", adding(2))
        frail.s3.kill()
        dead = len(callers.answers)
        callers.wait_for(20)
    assert not callers.failures
    for number, response in callers.answers:
        assert response.status_code == 200, response.text
        assert response.json() in ([number, 1, number + 1], [number, 2, number + 2])
    late = [response for _, response in callers.answers[dead + 4 :]]
    assert {response.headers.get("x-model-stale") for response in late} == {"true"}
    with http_client(frail) as client:
        # A model that no environment has loaded cannot be had: 503, not 404.
        response = client.post("/models/other/score", json=1)
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) >= 1
        frail.restart_s3()
        frail.put_model("model", adding(3))
        eventually(
            lambda: client.post("/models/model/score", json=1),
            lambda answer: answer.json()[1] == 3 and "x-model-stale" not in answer.headers,
        )


def test_s3_that_hangs_does_not_hold_the_last_good_model(frail: LocalCloud) -> None:
    with http_client(frail) as client:
        assert client.post("/models/model/score", json=1).json()[1] == 1
        frail.s3.stall()
        try:
            for _ in range(3):
                response = client.post("/models/model/score", json=1)
                assert response.status_code == 200, response.text
                assert response.headers["x-model-stale"] == "true"
        finally:
            frail.s3.resume()
