"""Whatever the bytes are: a verdict, and never because a check failed by itself."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from gate import checks, routes
from gate.checks import check_document, check_routes
from gate.verdict import Limits
from tests.gate.documents import document
from tests.pfa.avro_types import json_values

PARTS = ["name", "input", "output", "action", "metadata", "cells", "fcns", "method", "randseed"]
SMALL = Limits(load_seconds=5, example_seconds=5)


def hold(verdict):
    for found in verdict.findings:
        assert "itself failed" not in found.message
        assert "engine is at fault" not in found.message
        assert found.message.isprintable()
    assert verdict.passed == (verdict.findings[-1].status in ("passed", "warning"))
    json.dumps(verdict.to_json(), allow_nan=False).encode()
    verdict.text().encode()


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_bytes(source):
    hold(check_document(source, SMALL))
    hold(check_routes(source, "m", lambda *_: True, SMALL))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_documents(data):
    made = document()
    for part in data.draw(st.lists(st.sampled_from(PARTS), min_size=1, max_size=2)):
        made[part] = data.draw(json_values())
    hold(check_document(json.dumps(made).encode(), SMALL))


EXAMPLES = st.fixed_dictionaries(
    {"input": json_values() | st.floats(-9, 9)},
    optional={
        "expected": json_values(),
        "error": json_values()
        | st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("code", "message", "pointer"), json_values())
        ),
        "tolerance": json_values() | st.floats(0, 1),
    },
)


@given(st.lists(EXAMPLES, max_size=3) | json_values())
@settings(max_examples=40, deadline=None)
def test_examples(listed):
    made = document(metadata={"examples": json.dumps(listed)})
    hold(check_document(json.dumps(made).encode(), SMALL))


NAMED = st.fixed_dictionaries({"version": st.sampled_from(["v1", "v2"])})
KEYS = st.fixed_dictionaries({}, optional={"header": json_values(), "pointer": json_values()})
CANARIES = st.fixed_dictionaries(
    {"version": st.sampled_from(["v1", "v2"]), "share": json_values() | st.floats(0, 1)},
    optional={"key": KEYS, "more": json_values()},
)
ROUTES = st.fixed_dictionaries(
    {}, optional={"canary": CANARIES | json_values(), "shadows": st.lists(NAMED | json_values())}
)


@given(ROUTES)
@settings(max_examples=300, deadline=None)
def test_routes(made):
    verdict = check_routes(json.dumps(made).encode(), "m", lambda *_: True, SMALL)
    hold(verdict)
    if verdict.passed:
        assert made.keys() <= {"canary", "shadows"}
        assert len(made.get("shadows", [])) <= routes.MAX_SHADOWS
        assert 0 <= made.get("canary", {"share": 0})["share"] <= 1


def test_the_least_time_is_more_than_a_signal_needs():
    """With a limit of 0 there is a verdict too."""
    for limits in (Limits(load_seconds=0), Limits(example_seconds=0), Limits(memory_mb=0)):
        verdict = check_document(json.dumps(document()).encode(), limits)
        assert [it.check for it in verdict.findings] == list(checks.NAMES)
        hold(verdict)
