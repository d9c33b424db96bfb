"""Events of EventBridge, log lines and metrics."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from moto import mock_aws

from gate import notify


class Events:
    """A client that keeps what it is given, and answers as told."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self.answer = answer
        self.entries: list[dict[str, str]] = []

    def put_events(self, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803 - boto3's
        self.entries += Entries
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_an_event(monkeypatch, printed):
    client = Events({"FailedEntryCount": 0})
    monkeypatch.setenv("EVENT_BUS", "bus")
    monkeypatch.setattr(notify, "_client", lambda: client)
    notify.announce("rolled back", "m", {"live": "v1"}, "all is well")
    (entry,) = client.entries
    assert (entry["Source"], entry["EventBusName"]) == ("pfa-score", "bus")
    assert entry["DetailType"] == "Model rolled back"
    assert json.loads(entry["Detail"]) == {"model": "m", "live": "v1", "text": "all is well"}
    line, metric = printed()
    assert (line["message"], line["model"]) == ("model rolled back", "m")
    assert (metric["ModelRolledBack"], metric["model"]) == ([1], "m")


@pytest.mark.parametrize("answer", [{"FailedEntryCount": 1}, OSError("secret"), KeyError("x")])
def test_an_event_that_cannot_be_sent_is_logged(monkeypatch, printed, answer):
    monkeypatch.setenv("EVENT_BUS", "bus")
    monkeypatch.setattr(notify, "_client", lambda: Events(answer))
    notify.announce("rejected", "m", {}, "why")
    lines = printed()
    assert [line.get("message") for line in lines] == ["model rejected", None, "event not sent"]
    assert [line.get("level") for line in lines] == ["WARNING", None, "ERROR"]
    assert "secret" not in str(lines)


def test_without_a_bus_no_client_is_made(monkeypatch, printed):
    monkeypatch.setattr(notify, "_client", lambda: pytest.fail("a client"))
    notify.announce("promoted", "m", {}, "")
    assert len(printed()) == 2


def test_eventbridge_takes_it(monkeypatch, printed):
    notify._client.cache_clear()
    with mock_aws():
        bus = boto3.client("events").create_event_bus(Name="bus")["EventBusArn"]
        for name in ("bus", bus):
            monkeypatch.setenv("EVENT_BUS", name)
            notify.announce("promoted", "m", {"text": "é"}, "x" * 300_000)
    notify._client.cache_clear()
    assert [line["message"] for line in printed() if "message" in line] == ["model promoted"] * 2
