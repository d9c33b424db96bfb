import json

import pytest

from gate.checks import check_routes
from gate.verdict import Limits

CANARY = {"version": "v1", "share": 0.1, "key": {"header": "X-User-Id"}}


def check(routes, known=("v1", "v2", "v3")):
    asked = []

    def exists(name, version):
        asked.append((name, version))
        return version in known

    source = routes if isinstance(routes, bytes) else json.dumps(routes).encode()
    verdict = check_routes(source, "sonar", exists, Limits())
    assert [it.check for it in verdict.findings] == ["size", "json", "routes", "versions"]
    assert verdict.artifact is None
    assert all(name == "sonar" for name, _ in asked)
    return verdict


@pytest.mark.parametrize(
    "routes",
    [
        {},
        {"canary": CANARY},
        {"canary": {"version": "v1", "share": 0}},
        {"canary": {"version": "v1", "share": 1, "key": {"pointer": "/customer/a~1b"}}},
        {"shadows": []},
        {"canary": CANARY, "shadows": [{"version": "v2"}, {"version": "v3"}]},
    ],
)
def test_routes_that_pass(routes):
    verdict = check(routes)
    assert verdict.passed, verdict.text()
    assert verdict.text().endswith("PASSED")


@pytest.mark.parametrize(
    ("routes", "words", "position"),
    [
        ({"canari": CANARY}, 'not "canari"', ""),
        ({"canary": []}, "a canary must be an object", "/canary"),
        ({"canary": {"share": 0.1}}, 'a canary must have "version"', "/canary"),
        ({"canary": {"version": "v1"}}, 'a canary must have "share"', "/canary"),
        ({"canary": {**CANARY, "more": 1}}, 'not "more"', "/canary"),
        ({"canary": {**CANARY, "version": 1}}, "S3 version id", "/canary/version"),
        ({"canary": {**CANARY, "version": "null"}}, "S3 version id", "/canary/version"),
        ({"canary": {**CANARY, "version": "../x"}}, "S3 version id", "/canary/version"),
        ({"canary": {**CANARY, "version": "v1\n"}}, "S3 version id", "/canary/version"),
        ({"canary": {**CANARY, "share": 1.01}}, "from 0 to 1", "/canary/share"),
        ({"canary": {**CANARY, "share": -0.1}}, "from 0 to 1", "/canary/share"),
        ({"canary": {**CANARY, "share": True}}, "from 0 to 1", "/canary/share"),
        ({"canary": {**CANARY, "share": "0.1"}}, "from 0 to 1", "/canary/share"),
        ({"canary": {**CANARY, "key": {}}}, 'either "header" or "pointer"', "/canary/key"),
        (
            {"canary": {**CANARY, "key": {"header": "X", "pointer": "/x"}}},
            'either "header" or "pointer"',
            "/canary/key",
        ),
        ({"canary": {**CANARY, "key": {"header": "X Y"}}}, "HTTP header", "/canary/key/header"),
        ({"canary": {**CANARY, "key": {"header": "X\r\nY"}}}, "HTTP header", "/canary/key/header"),
        ({"canary": {**CANARY, "key": {"pointer": "x"}}}, "pointer", "/canary/key/pointer"),
        ({"canary": {**CANARY, "key": {"pointer": ""}}}, "pointer", "/canary/key/pointer"),
        ({"canary": {**CANARY, "key": {"pointer": "/~2"}}}, "pointer", "/canary/key/pointer"),
        ({"shadows": {}}, "must be a list", "/shadows"),
        ({"shadows": [{"version": "v1"}] * 3}, "3 shadows are more than 2", "/shadows"),
        ({"shadows": ["v1"]}, "a shadow must be an object", "/shadows/0"),
        ({"shadows": [{"version": "v1", "share": 1}]}, 'not "share"', "/shadows/0"),
        ({"shadows": [{"version": "v1"}] * 2}, "named twice", "/shadows/0/version"),
    ],
)
def test_routes_that_fail(routes, words, position):
    verdict = check(routes)
    assert not verdict.passed
    found = verdict.findings[2]
    assert found.status == "failed"
    assert words in found.message
    assert found.position == position
    assert verdict.findings[3].status == "skipped"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"[]", "JSON object"),
        (b"nonsense", "not JSON"),
        (b'{"canary": {"version": "v1", "share": NaN}}', "NaN"),
        (b'{"shadows": [], "shadows": []}', "twice"),
    ],
)
def test_what_is_not_json(body, words):
    verdict = check(body)
    assert verdict.findings[1].status == "failed"
    assert words in verdict.findings[1].message


def test_size():
    verdict = check(b" " * 20_000)
    assert verdict.findings[0].status == "failed"


def test_versions_that_are_not_there():
    verdict = check({"canary": CANARY, "shadows": [{"version": "v2"}]}, known=("v1",))
    found = verdict.findings[3]
    assert found.status == "failed"
    assert found.message == "there is no version v2 of live/sonar.pfa."
    assert found.position == "/shadows/0/version"


def test_a_bucket_that_does_not_answer_is_not_the_fault_of_the_routes():
    def exists(_name, _version):
        raise OSError("no answer")

    with pytest.raises(OSError, match="no answer"):
        check_routes(json.dumps({"canary": CANARY}).encode(), "sonar", exists, Limits())
