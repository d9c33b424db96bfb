"""Canaries and shadows over the handler."""

import json
import math
import threading
import time
from typing import Any

import pytest

import pfa
from bucket import Bucket, make_client
from score import challengers, slot, store
from score.challengers import differences
from score.store import ModelStore
from tests.score.conftest import (
    Answer,
    Client,
    Clock,
    Context,
    CountingBucket,
    adder,
    event,
    facts,
    promote,
    route,
)
from tests.score.faulty_s3 import FaultyS3


def document(action: Any, given: Any = "double", gives: Any = "double", **more: Any) -> bytes:
    return json.dumps({"input": given, "output": gives, "action": action, **more}).encode()


SPIN = document([{"while": True, "do": 0}, "input"])
FAILS = document([{"error": "no", "code": -3}, "input"])
PERSON = {
    "type": "record",
    "name": "Person",
    "fields": [{"name": "age", "type": "double"}, {"name": "name", "type": "string"}],
}


@pytest.fixture(autouse=True)
def _all_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(challengers, "LOG_SHARE", 1.0)


def messages(call: Client) -> list[str]:
    return [line["message"] for line in call.lines if "message" in line]


# --- canary


def test_a_canary_answers_its_share_and_nobody_changes_sides(
    call: Client, s3: CountingBucket
) -> None:
    canary = promote(s3, "hello", adder(2))
    live = promote(s3, "hello", adder(1))
    key = {"header": "X-User-Id"}
    route(s3, "hello", {"canary": {"version": canary, "share": 0.3, "key": key}})
    told: dict[str, tuple[str, str]] = {}
    for _ in range(2):
        for n in range(300):
            answer = call.score("0", **{"x-user-ID": f"user-{n}"})
            expected = "2.0" if answer.headers["x-model-version"] == canary else "1.0"
            assert answer.text == expected
            got = (answer.text, answer.headers["x-model-version"])
            assert told.setdefault(f"user-{n}", got) == got
            assert f"user-{n}" not in call.printed
            assert call.metrics["ScoredRecords"] == 1
            assert call.metrics.get("CanaryServed", 0) == (answer.text == "2.0")
    share = sum(text == "2.0" for text, _ in told.values()) / 300
    assert abs(share - 0.3) <= 3 * math.sqrt(0.3 * 0.7 / 300)
    assert {version for _, version in told.values()} == {canary, live}
    for n in range(20):  # /score is the same model's
        answer = call("POST", "/score", "0", {"X-User-Id": f"user-{n}"})
        assert answer.text == told[f"user-{n}"][0]


def test_a_canary_by_a_pointer_into_the_record(call: Client, s3: CountingBucket) -> None:
    canary = promote(s3, "hello", document({"+": ["input.age", 2]}, PERSON))
    promote(s3, "hello", document({"+": ["input.age", 1]}, PERSON))
    key = {"pointer": "/name"}
    route(s3, "hello", {"canary": {"version": canary, "share": 0.5, "key": key}})
    texts = {}
    for age in (0, 1):
        for n in range(100):
            text = call.score(json.dumps({"age": age, "name": f"SECRET{n}"})).text
            assert texts.setdefault(n, float(text) - age) == float(text) - age
            assert "SECRET" not in call.printed
    assert set(texts.values()) == {1.0, 2.0}


def test_without_a_key_the_requests_id_counts(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = promote(s3, "hello", adder(2))
    promote(s3, "hello", adder(1))
    for key in ({}, {"key": {"header": "X-No"}}, {"key": {"pointer": "/no"}}):
        route(s3, "hello", {"canary": {"version": canary, "share": 0.5, **key}})
        monkeypatch.setattr(store, "STORE", ModelStore(s3))
        seen = set()
        for n in range(40):
            context = Context()
            context.aws_request_id = f"request-{n}"
            answer = call.invoke(event("POST", "/score", "0"), context)
            again = call.invoke(event("POST", "/score", "0"), context)
            assert answer["body"] == again["body"]
            seen.add(answer["body"])
        assert seen == {"1.0", "2.0"}


def test_a_canary_is_for_single_records_over_http_only(call: Client, s3: CountingBucket) -> None:
    canary = promote(s3, "hello", adder(2))
    live = promote(s3, "hello", adder(1))
    route(s3, "hello", {"canary": {"version": canary, "share": 1}})
    assert call.score("0").text == "2.0"
    assert call.batch("[0]").text == '[{"result":1.0}]'
    assert call.invoke(0) == 1.0
    assert call("GET", "/models/hello").json["version"] == live
    assert call("GET", "/health").json["version"] == live
    answer = call("POST", f"/models/hello/versions/{live}/score", "0")
    assert (answer.text, answer.headers["x-model-version"]) == ("1.0", live)


def test_a_canarys_errors_are_its_own(call: Client, s3: CountingBucket) -> None:
    canary = promote(s3, "hello", FAILS)
    promote(s3, "hello", adder(1))
    route(s3, "hello", {"canary": {"version": canary, "share": 1}})
    for text, status in (("0", 422), ('"x"', 422)):
        answer = call.score(text)
        assert answer.status == status
        assert answer.headers["x-model-version"] == canary
        assert answer.headers["etag"] == f'"{facts(FAILS)["sha256"]}"'
    assert call.score("{").status == 400


@pytest.mark.parametrize("what", ["broken", "unknown", "spinning engine"])
def test_a_canary_that_does_not_load_leaves_the_live_version(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    version = s3.put("hello", b"{" if what == "broken" else adder(2))
    live = promote(s3, "hello", adder(1))
    if what == "spinning engine":
        monkeypatch.setattr(pfa, "load", lambda _: time.sleep(30))
    route(
        s3,
        "hello",
        {"canary": {"version": "nope" if what == "unknown" else version, "share": 1}},
    )
    for _ in range(3):
        answer = call.invoke(event("POST", "/score", "0"), Context(seconds=3.0))
        assert (answer["statusCode"], answer["body"]) == (200, "1.0")
        assert answer["multiValueHeaders"]["X-Model-Version"] == [live]
        assert "X-Model-Stale" not in answer["multiValueHeaders"]
        assert call.metrics["CanaryFailed"] == 1
        assert "CanaryServed" not in call.metrics
        assert "canary failed" in messages(call)


def test_routes_change_within_the_time_to_live(
    call: Client, s3: CountingBucket, clock: Clock
) -> None:
    canary = promote(s3, "hello", adder(2))
    promote(s3, "hello", adder(1))
    assert call.score("0").text == "1.0"
    model = store.STORE.get("hello").model
    for routes, text, metric in (
        ({"canary": {"version": canary, "share": 1}}, "2.0", None),
        ({"canary": {"version": canary, "share": 0}}, "1.0", None),
        ({"canary": {"version": canary, "share": 1}}, "2.0", None),
        (b'{"canary": {"version": "SECRET', "1.0", "RoutesRefused"),
        ({"canary": {"version": "SECRET/", "share": 1}}, "1.0", "RoutesRefused"),
        ({"canary": {"version": canary, "share": 1}}, "2.0", None),
        (b"x" * 70_000, "2.0", "RoutesFailed"),  # too large to be read: the last ones hold
        (None, "1.0", None),
    ):
        if routes is None:
            s3.delete("live/hello.routes.json")
        else:
            route(s3, "hello", routes)
        clock.now += 60
        answer = call.score("0")
        assert (answer.status, answer.text) == (200, text)
        found = {name for name in call.metrics if name.startswith("Routes")}
        assert found == ({metric} if metric else set())
        assert "SECRET" not in call.printed
        call.score("0")
        assert "RoutesRefused" not in call.metrics  # once
    assert store.STORE.get("hello").model is model


def test_broken_routes_are_told_once_per_change(
    call: Client, s3: CountingBucket, clock: Clock
) -> None:
    promote(s3, "hello", adder(1))
    route(s3, "hello", b"{")
    call.score("0")
    assert call.metrics["RoutesRefused"] == 1
    assert "routes are broken" in messages(call)
    clock.now += 60
    call.score("0")
    assert "RoutesRefused" not in call.metrics


def test_document_and_routes_are_asked_for_at_the_same_time(
    s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(s3, "hello", adder(1))
    route(s3, "hello", {"shadows": []})
    models = ModelStore(s3, ttl=60, clock=clock)
    models.get("hello")
    both = threading.Barrier(2)
    ask = s3.client.get_object

    def meet(**more: Any) -> Any:
        both.wait(10)  # breaks if one of them waits for the other
        return ask(**more)

    monkeypatch.setattr(s3.client, "get_object", meet)
    clock.now += 60
    entry = models.get("hello")
    assert not both.broken
    assert not entry.stale


def test_routes_that_hang_hold_no_document(faulty: FaultyS3, clock: Clock) -> None:
    faulty.objects["live/hello.pfa"] = adder(1)
    faulty.objects["live/hello.routes.json"] = b'{"shadows": [{"version": "v"}]}'
    source = Bucket("models", make_client(0.3, 0.3, 1), call_seconds=1.0)
    models = ModelStore(source, ttl=60, clock=clock)
    assert models.get("hello").routes.shadows == ("v",)
    for mode in ("hang", "drip", "down", "garbage", "half"):
        faulty.modes["live/hello.routes.json"] = mode
        faulty.objects["live/hello.routes.json"] = b'{"shadows": [{"version": "w"}]}'
        clock.now += 60
        entry = models.get("hello")
        assert not entry.stale
        assert entry.routes.shadows == ("v",)  # the last that were read
    faulty.modes["live/hello.routes.json"] = "denied"  # as of what is not there
    clock.now += 60
    assert models.get("hello").routes.shadows == ()
    faulty.modes.clear()
    clock.now += 60
    assert models.get("hello").routes.shadows == ("w",)


# --- shadows


def alone(call: Client, s3: CountingBucket, text: str, **headers: str) -> Answer:
    """What the live version answers without challengers."""
    known, store.STORE = store.STORE, ModelStore(s3)
    try:
        s3.delete("live/hello.routes.json")
        return call.score(text, **headers)
    finally:
        store.STORE = known


@pytest.mark.parametrize("text", ["1", "-1", '"x"', "{", ""])
@pytest.mark.parametrize(
    "shadow",
    [adder(1), adder(2), SPIN, FAILS, b"{", document("input", "string", "string"), None],
    ids=["same", "differs", "spins", "fails", "broken", "other types", "unknown"],
)
@pytest.mark.parametrize("artifact", [True, False])
def test_a_shadow_changes_nothing(
    call: Client, s3: CountingBucket, text: str, shadow: bytes | None, artifact: bool
) -> None:
    version = "unknown"
    if shadow and artifact and shadow != b"{":
        version = promote(s3, "hello", shadow)
    elif shadow:
        version = s3.put("hello", shadow)
    negative = {"if": {"<": ["input", 0]}, "then": {"error": "low"}, "else": {"+": ["input", 1]}}
    promote(s3, "hello", document(negative))
    plain = alone(call, s3, text)
    route(s3, "hello", {"shadows": [{"version": version}]})
    # As much time as a shadow may have, to be sure that it is the box that ends it.
    for _ in range(2):
        started = time.perf_counter()
        answer = call.score(text)
        took = time.perf_counter() - started
        assert answer == plain
        assert took < 5.0  # SPIN would have 10
        assert call.metrics.get("ScoredRecords", 0) == (plain.status == 200)
        assert "Faults" not in call.metrics
        assert "ScoringTimeouts" not in call.metrics


def compared(call: Client) -> dict[str, float]:
    return {name: n for name, n in call.metrics.items() if name.startswith("Shadow")}


def shadowed(s3: CountingBucket, shadow: bytes, live: bytes) -> tuple[str, str]:
    version = promote(s3, "hello", shadow)
    now = promote(s3, "hello", live)
    route(s3, "hello", {"shadows": [{"version": version}]})
    return version, now


def test_a_shadow_that_agrees(call: Client, s3: CountingBucket) -> None:
    shadowed(s3, document({"+": [1.0000001, "input"]}), adder(1))
    assert call.score("0").text == "1.0"
    assert compared(call) == {"ShadowCompared": 1}
    (line,) = [line for line in call.lines if "ShadowCompared" in line]
    assert line["model"] == "hello"
    assert "shadow differs" not in messages(call)


def test_a_shadow_that_differs(call: Client, s3: CountingBucket) -> None:
    version, live = shadowed(s3, adder(2), adder(1))
    assert call.score("0").text == "1.0"
    assert compared(call) == {"ShadowCompared": 1, "ShadowDiffered": 1}
    (line,) = [line for line in call.lines if line.get("message") == "shadow differs"]
    assert (line["model"], line["version"], line["shadow"]) == ("hello", live, version)
    assert line["at"] == [{"pointer": "", "relative": 0.5}]


def test_a_tolerance_of_the_documents(call: Client, s3: CountingBucket) -> None:
    shadowed(s3, adder(2, metadata={"tolerance": "0.6"}), adder(1))
    call.score("0")
    assert compared(call) == {"ShadowCompared": 1}


def test_a_shadow_that_fails_where_the_live_version_answers(
    call: Client, s3: CountingBucket
) -> None:
    version, _ = shadowed(s3, FAILS, adder(1))
    assert call.score("0").text == "1.0"
    assert compared(call) == {"ShadowFailed": 1}
    (line,) = [line for line in call.lines if line.get("message") == "shadow failed"]
    assert (line["version"], line["reason"]) == (version, "ScoringError")


def test_a_shadow_that_answers_where_the_live_version_fails(
    call: Client, s3: CountingBucket
) -> None:
    shadowed(s3, adder(1), FAILS)
    assert call.score("0").status == 422
    assert compared(call) == {"ShadowCompared": 1, "ShadowDiffered": 1}


def test_two_that_fail_agree(call: Client, s3: CountingBucket) -> None:
    shadowed(s3, document([{"error": "other"}, "input"]), FAILS)
    assert call.score("0").status == 422
    assert compared(call) == {"ShadowCompared": 1}
    assert call.score('"x"').status == 422
    assert compared(call) == {}  # the record's fault


def test_a_shadow_that_does_not_end_has_its_box(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    score = pfa.Model.score

    def note(model: pfa.Model, record: object, timeout: float | None = None) -> Any:
        given.append(timeout)
        return score(model, record, timeout=timeout)

    shadowed(s3, SPIN, adder(1))
    monkeypatch.setattr(pfa.Model, "score", note)
    monkeypatch.setattr(challengers, "SHADOW_SECONDS", 0.3)
    assert call.score("0").text == "1.0"
    assert compared(call) == {"ShadowFailed": 1}
    (_, box) = given
    assert 0 < box <= 0.3
    given.clear()
    answer = call.invoke(event("POST", "/score", "0"), Context(seconds=0.6))
    assert answer["statusCode"] == 200  # 0.1 s are left besides the reserve
    assert given[1] <= 0.1


def test_two_shadows_share_the_box(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = [promote(s3, "hello", body) for body in (SPIN, adder(2))]
    promote(s3, "hello", adder(1))
    route(s3, "hello", {"shadows": [{"version": version} for version in versions]})
    assert call.score("0").text == "1.0"
    assert compared(call) == {"ShadowFailed": 2}  # nothing was left for the second
    route(s3, "hello", {"shadows": [{"version": version} for version in versions[::-1]]})
    monkeypatch.setattr(store, "STORE", ModelStore(s3))
    assert call.score("0").text == "1.0"
    assert compared(call) == {"ShadowCompared": 1, "ShadowDiffered": 1, "ShadowFailed": 1}


def test_a_shadow_of_the_canarys_answer(call: Client, s3: CountingBucket) -> None:
    canary = promote(s3, "hello", adder(2))
    live = promote(s3, "hello", adder(1))
    route(
        s3,
        "hello",
        {
            "canary": {"version": canary, "share": 1},
            "shadows": [{"version": live}, {"version": canary}],
        },
    )
    assert call.score("0").text == "2.0"
    assert compared(call) == {"ShadowCompared": 1, "ShadowDiffered": 1}


def test_a_shadow_that_loads_too_slowly_is_tried_less_and_less(
    call: Client, s3: CountingBucket, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadow = s3.put("hello", adder(2))
    promote(s3, "hello", adder(1))
    route(s3, "hello", {"shadows": [{"version": shadow}]})
    monkeypatch.setattr(slot, "BACKOFF_SHARE", 0.0)
    tried = []

    def slow(_: bytes) -> None:
        tried.append(clock.now)
        time.sleep(30)

    load = pfa.load
    monkeypatch.setattr(pfa, "load", slow)
    monkeypatch.setattr(challengers, "SHADOW_SECONDS", 0.1)
    for _ in range(20):
        clock.now += 1
        assert call.score("0").text == "1.0"
        assert compared(call) == {"ShadowFailed": 1}
    assert len(tried) == 5  # after 1, 2, 4 and 8 seconds
    monkeypatch.setattr(pfa, "load", load)
    # Who asks for that version need not wait for the next try.
    answer = call("POST", f"/models/hello/versions/{shadow}/score", "0")
    assert answer.text == "2.0"
    assert call.score("0").text == "1.0"
    assert compared(call) == {"ShadowCompared": 1, "ShadowDiffered": 1}


def test_no_value_and_no_key_of_a_map_is_logged(call: Client, s3: CountingBucket) -> None:
    answer = {
        "type": "record",
        "name": "Answer",
        "fields": [
            {"name": "scores", "type": {"type": "map", "values": "double"}},
            {"name": "label", "type": "string"},
        ],
    }

    def gives(by: float, label: str) -> bytes:
        scores = {"map.map": ["input.scores", {"params": [{"x": "double"}], "ret": "double",
                  "do": {"+": ["x", by]}}]}  # fmt: skip
        new = {"scores": scores, "label": {"s.concat": ["input.label", {"string": label}]}}
        return document({"type": "Answer", "new": new}, answer, "Answer")

    shadowed(s3, gives(1.0, "a"), gives(0.0, ""))
    record = {"scores": {"SECRET/1": 1.0, "label": 3.0, "SECRET2": 0.0}, "label": "SECRET3"}
    assert call.score(json.dumps(record)).status == 200
    assert "SECRET" not in call.printed
    (line,) = [line for line in call.lines if line.get("message") == "shadow differs"]
    assert sorted(line["at"], key=str) == sorted(
        [
            {"pointer": "/scores/*", "relative": 0.5},
            {"pointer": "/scores/label", "relative": 0.25},
            {"pointer": "/scores/*", "relative": 1.0},
            {"pointer": "/label", "relative": None},
        ],
        key=str,
    )


def test_the_log_has_a_sample_and_the_metrics_all(
    call: Client, s3: CountingBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(challengers, "LOG_SHARE", 0.1)
    shadowed(s3, adder(2), adder(1))
    logged = 0
    for n in range(200):
        context = Context()
        context.aws_request_id = f"request-{n}"
        call.invoke(event("POST", "/score", "0"), context)
        assert compared(call) == {"ShadowCompared": 1, "ShadowDiffered": 1}
        logged += "shadow differs" in messages(call)
    assert 5 <= logged <= 40


@pytest.mark.parametrize(
    ("mine", "other", "found"),
    [
        (1, 1.0, []),
        (1.0, 1.0000001, []),
        (1.0, 2.0, [((), 0.5)]),
        (0, 1e-300, [((), 1.0)]),
        (-1, 1, [((), 2.0)]),
        (1.7e308, -1.7e308, [((), 2.0)]),
        (10**400, 1, [((), 1.0)]),
        (True, 1, [((), None)]),
        (True, True, []),
        ("a", "a", []),
        ("a", "b", [((), None)]),
        (None, 0, [((), None)]),
        ({"a": [1, 2]}, {"a": [1, 3, 4]}, [(("a", 1), 1 / 3), (("a", 2), None)]),
        ({"a": 1}, {"b": 1}, [(("a",), None), (("b",), None)]),
        ([], {}, [((), None)]),
    ],
)
def test_differences(mine: Any, other: Any, found: list[Any]) -> None:
    got = list(differences(mine, other, 1e-6))
    assert [place for place, _ in got] == [place for place, _ in found]
    for (_, by), (_, expected) in zip(got, found, strict=True):
        assert by == (expected if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("text", "tolerance"), [("0.5", 0.5), ("0", 0.0), ("-1", 1e-6), ("nan", 1e-6), ("x", 1e-6)]
)
def test_tolerances(text: str, tolerance: float) -> None:
    assert challengers._tolerance(text) == tolerance


def test_a_deep_or_long_answer_is_compared_as_far_as_it_goes(s3: CountingBucket) -> None:
    model = pfa.load(adder(1))
    mine: Any = list(range(1000))
    other: Any = list(range(1, 1001))
    assert len(challengers._compared(mine, other, model)) == challengers.MAX_DIFFERENCES
