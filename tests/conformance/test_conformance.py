"""Both engines agree with Titus 0.8.4 on the whole corpus."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pfa.compat import engine
from tests.conformance import run, values

ROOT = Path(__file__).parents[2]


def entries(function: str) -> list:
    return list(run.corpus(function=function))


def statuses(make, function: str) -> set[str]:
    return {outcome.status for entry in entries(function) for outcome in run.run(make, entry)}


@pytest.mark.parametrize("made_by", ["pfa.compat:engine", "pfa.compiler:compiled"])
def test_every_trial_agrees(made_by):
    """``compiled``, other than the engine that is used, does not fall back: it fails."""
    # in a process of its own: it forks, and documents print
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.conformance.run"]  # noqa: RUF005
        + [made_by, "--jobs", str(os.cpu_count() or 2)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "166,225 of 166,225 trials agree" in done.stdout


def test_bytes_given_as_python_bytes_agree_too():
    options = run.Options(raw_bytes=True)
    for function in ("bytes.*", "probe:bytes*", "fixed.*"):
        for entry in entries(function):
            assert {o.status for o in run.run(engine, entry, options)} <= {run.AGREES}


class Wrong:
    """An engine whose answers go through ``spoil``."""

    def __init__(self, document, spoil):
        self.engine, self.spoil = engine(document), spoil

    def action(self, value):
        return self.spoil(self.engine.action(value))


def test_a_small_error_in_a_number_is_noticed():
    def make(document):
        return Wrong(document, lambda value: value * (1 + 1e-8))

    assert "wrong value" in statuses(make, "m.sin")


def test_a_missing_error_is_noticed():
    class Silent:
        def __init__(self, document):
            self.engine = engine(document)

        def action(self, value):
            try:
                return self.engine.action(value)
            except Exception:
                return 0

    assert "no error" in statuses(Silent, "m.round")


def test_an_error_of_another_code_is_noticed():
    class Coded:
        def __init__(self, document):
            self.engine = engine(document)

        def action(self, value):
            try:
                return self.engine.action(value)
            except Exception as error:
                error.code += 1
                raise

    assert "wrong code" in statuses(Coded, "m.round")


def test_an_answer_of_another_type_is_noticed():
    def make(document):
        return Wrong(document, str)

    assert statuses(make, "m.sin") == {"wrong type"}


def test_an_engine_that_hangs_is_stopped():
    def make(document):
        def hang(value):
            while True:
                pass

        return Wrong(document, hang)

    entry = entries("m.pi")[0]
    short = run.Options(timeout=0.05)
    assert "takes too long" in {outcome.status for outcome in run.run(make, entry, short)}


def test_nan_and_order():
    nan = {"$float": "nan"}
    assert values.same(nan, nan, 0)
    assert not values.same(nan, 1.0, 1)
    assert not values.same({"$float": "inf"}, {"$float": "-inf"}, 1)
    assert not values.same(True, 1, 1)
    assert values.same_in_any_order([1, 2, 2], [2, 1, 2], 0)
    assert not values.same_in_any_order([1, 1, 2], [2, 1, 2], 0)
