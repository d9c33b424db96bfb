"""The local cloud on the built function, for tests that talk to it over HTTP."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.build import build
from scripts.local_cloud import LocalCloud
from scripts.sample_cloud import sample_models, upload_samples, wait_for_gate

# Every request asks S3 whether its model changed, so that no test waits for a time to live.
NO_TTL = {"MODEL_TTL_SECONDS": "0"}


@contextmanager
def http_client(cloud: LocalCloud) -> Iterator[httpx.Client]:
    headers = {"x-api-key": cloud.api_key}
    with httpx.Client(base_url=cloud.url, headers=headers, timeout=60, trust_env=False) as client:
        yield client


def adding(number: int) -> bytes:
    """A document that answers `number` and the request's own number: a mix would show."""
    document = {
        "input": "int",
        "output": {"type": "array", "items": "int"},
        "action": {
            "type": {"type": "array", "items": "int"},
            "new": ["input", number, {"+": ["input", number]}],
        },
        "version": number,
    }
    return json.dumps(document).encode()


class Callers:
    """Threads that go on asking one model, and keep every answer."""

    def __init__(self, cloud: LocalCloud, name: str, count: int) -> None:
        self.cloud, self.path = cloud, f"/models/{name}/score"
        self.answers: list[tuple[int, httpx.Response]] = []
        self.failures: list[Exception] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(count)]

    def _ask(self) -> None:
        number = 0
        with http_client(self.cloud) as client:
            while not self._over.is_set():
                number += 1
                try:
                    self.answers.append((number, client.post(self.path, json=number)))
                except Exception as error:
                    self.failures.append(error)

    def __enter__(self) -> "Callers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, more: int) -> None:
        """Return when `more` answers have come in since the call."""
        goal = len(self.answers) + more
        give_up = time.monotonic() + 60
        while len(self.answers) < goal and time.monotonic() < give_up:
            time.sleep(0.01)
        assert len(self.answers) >= goal


@pytest.fixture(scope="session")
def documents() -> dict[str, bytes]:
    """The sample models."""
    return sample_models()


@pytest.fixture(scope="session")
def artefact() -> Path:
    """The built functions."""
    return build()


@pytest.fixture(scope="session")
def cloud(artefact: Path) -> Iterator[LocalCloud]:
    with LocalCloud(artefact, emulators=3, overrides=NO_TTL) as cloud:
        wait_for_gate(cloud, upload_samples(cloud))
        yield cloud


@pytest.fixture(scope="session")
def client(cloud: LocalCloud) -> Iterator[httpx.Client]:
    with http_client(cloud) as client:
        yield client


@pytest.fixture
def live(cloud: LocalCloud) -> Iterator[Callable[[Any], str]]:
    """Put a document past the gate as a live model; return its name, which is new."""
    names: list[str] = []

    def put(document: Any) -> str:
        names.append(f"test-{uuid.uuid4().hex[:12]}")
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        cloud.put_model(names[-1], body)
        return names[-1]

    yield put
    for name in names:
        cloud.delete_model(name)
