"""The local cloud on the built function, for tests that talk to it over HTTP."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.build import build
from scripts.local_cloud import LocalCloud
from scripts.sample_cloud import sample_models

# Every request asks S3 whether its model changed, so that no test waits for a time to live.
NO_TTL = {"MODEL_TTL_SECONDS": "0"}


@contextmanager
def http_client(cloud: LocalCloud) -> Iterator[httpx.Client]:
    headers = {"x-api-key": cloud.api_key}
    with httpx.Client(base_url=cloud.url, headers=headers, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def documents() -> dict[str, bytes]:
    """The sample models."""
    return sample_models()


@pytest.fixture(scope="session")
def artefact() -> Path:
    """The built function."""
    return build()


@pytest.fixture(scope="session")
def cloud(artefact: Path, documents: dict[str, bytes]) -> Iterator[LocalCloud]:
    with LocalCloud(artefact, emulators=3, overrides=NO_TTL) as cloud:
        for name, document in documents.items():
            cloud.put_model(name, document)
        yield cloud


@pytest.fixture(scope="session")
def client(cloud: LocalCloud) -> Iterator[httpx.Client]:
    with http_client(cloud) as client:
        yield client


@pytest.fixture
def live(cloud: LocalCloud) -> Iterator[Callable[[Any], str]]:
    """Put a document into the bucket as a live model; return its name, which is new."""
    names: list[str] = []

    def put(document: Any) -> str:
        names.append(f"test-{uuid.uuid4().hex[:12]}")
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        cloud.put_model(names[-1], body)
        return names[-1]

    yield put
    for name in names:
        cloud.delete_model(name)
