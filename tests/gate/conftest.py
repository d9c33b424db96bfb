"""Credentials for moto, and the lines that the functions print."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import telemetry
from tests.moto_s3 import set_credentials


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    set_credentials(monkeypatch)
    for name in ("AWS_ENDPOINT_URL_LAMBDA", "EVENT_BUS"):
        monkeypatch.delenv(name, raising=False)
    yield
    telemetry.metrics.provider.clear_metrics()  # of what ran without the handler


class _Stdout:
    """Whatever is the standard output when something is written."""

    def write(self, text: str) -> None:
        sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


@pytest.fixture
def printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[], list[dict[str, Any]]]:
    """What gives the log lines and metrics since it was last called."""
    for handler in telemetry.logger.handlers:  # made at import, with the stdout of then
        monkeypatch.setattr(handler, "stream", _Stdout())
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]
