import pytest

from gate.verdict import Finding, Limits


def test_defaults():
    assert Limits.from_environment({}) == Limits()
    assert Limits.from_environment({"GATE_REFUSE": "", "GATE_MAX_MB": ""}) == Limits()


def test_variables():
    limits = Limits.from_environment(
        {
            "GATE_MAX_MB": "8.5",
            "GATE_LOAD_SECONDS": "5",
            "GATE_EXAMPLE_SECONDS": "6",
            "GATE_P99_MS": "7",
            "GATE_MEMORY_MB": "256",
            "GATE_REFUSE": "randomness, recursion,s.hash",
            "GATE_ALLOW_BREAKING": "True",
            "GATE_MIN_EXAMPLES": "3",
        }
    )
    refuse = ("randomness", "recursion", "s.hash")
    assert limits == Limits(8.5, 5.0, 6.0, 7.0, 256.0, refuse, True, 3)
    assert limits.memory_bytes == 256_000_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATE_MAX_MB", "much"),
        ("GATE_P99_MS", "-1"),
        ("GATE_MEMORY_MB", "nan"),
        ("GATE_LOAD_SECONDS", "inf"),
        ("GATE_ALLOW_BREAKING", "yes"),
        ("GATE_REFUSE", "randomness; log"),
    ],
)
def test_typing_errors_do_not_open_the_gate(name, value):
    with pytest.raises(ValueError, match=name):
        Limits.from_environment({name: value})


def test_findings_are_printable():
    found = Finding("json", "failed", "a\nb\x1b" + "c" * 5000, "x\ty")
    assert found.message.startswith("a\\nb\\x1bc")
    assert len(found.message) < 1600
    assert found.position == "x\\ty"
