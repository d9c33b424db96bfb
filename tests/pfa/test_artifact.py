"""Models compiled ahead of time: the same answers, nothing large imported, nothing else taken."""

import copy
import gc
import json
import pickle
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import pfa
from pfa import artifact, model

ROOT = Path(__file__).parents[2]
MODELS = sorted((ROOT / "models").glob("*.pfa"))


def examples(loaded: pfa.Model) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(loaded.metadata["examples"])
    return found


def test_the_version_is_the_project_s() -> None:
    """By it an artifact of another engine is known."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"pfa-score {project['version']}, titus2 {version('titus2')}" == pfa.VERSION
    assert pfa.VERSION.endswith(model.ENGINE)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_the_answers_are_the_documents(path: Path) -> None:
    document = path.read_bytes()
    loaded = pfa.load(document)
    made = pfa.load_artifact(loaded.to_artifact())
    for example in examples(loaded):
        assert made.score(example["input"]) == loaded.score(example["input"])
    assert made.describe() == loaded.describe()
    assert made.source == loaded.source
    again = pfa.load_artifact(made.to_artifact())
    assert again.describe() == loaded.describe()


def test_what_goes_wrong_is_told_as_by_the_document() -> None:
    loaded = pfa.load((ROOT / "models/real_estate.pfa").read_bytes())
    made = pfa.load_artifact(loaded.to_artifact())
    for record in ({"distance": "far", "colour": 1}, {}, 3, {"distance": -1}):
        told = []
        for each in (loaded, made):
            with pytest.raises(pfa.PfaError) as raised:
                each.score(record)
            errors = getattr(raised.value, "errors", None)
            told.append((type(raised.value), str(raised.value), errors))
        assert told[0] == told[1]


def test_a_document_with_state() -> None:
    action = {"cell": "n", "to": {"params": [{"x": "int"}], "ret": "int", "do": {"+": ["x", 1]}}}
    cells = {"n": {"type": "int", "init": 0}}
    loaded = pfa.load({"input": "null", "output": "int", "cells": cells, "action": action})
    made = pfa.load_artifact(loaded.to_artifact())
    assert made.score_batch([None, None]) == loaded.score_batch([None, None]) == [1, 2]
    assert made.score(None) == 1


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda given: pickle.loads(pickle.dumps(given))]
)
@pytest.mark.parametrize("compiled", [True, False])
def test_copies_outlive_the_model(copied: Callable[[Any], Any], compiled: bool) -> None:
    count = {"cell": "n", "to": {"//": [10, "input"]}}
    cells = {"n": {"type": "int", "init": 0}}
    for parts in ({"action": {"//": [10, "input"]}}, {"action": count, "cells": cells}):
        loaded = pfa.load({"input": "int", "output": "int", **parts}, compiled=compiled)
        made, described = copied(loaded), loaded.describe()
        del loaded
        gc.collect()
        assert made.describe() == described
        answer, by_zero, odd = made.score_batch([3, 0, "x"])
        assert answer == made.score(3) == 3
        assert (type(by_zero), by_zero.code) == (pfa.ScoringError, 18040)
        again = copied(odd)
        assert (type(again), str(again), again.errors) == (pfa.InputError, str(odd), odd.errors)
        assert made.engines.kind.__module__.startswith("pfa.") == compiled


def test_threads_that_need_the_long_way_at_once_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = pfa.load_artifact(pfa.load((ROOT / "models/hello.pfa").read_bytes()).to_artifact())
    load, both = model._load, threading.Barrier(2)

    def load_at_once(*args: Any) -> pfa.Model:
        loaded = load(*args)
        both.wait(20)
        return loaded

    monkeypatch.setattr(model, "_load", load_at_once)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: made.engines, range(2))
    assert one is other
    assert isinstance(made.score_batch(["x"])[0], pfa.InputError)


def test_the_long_way_leaves_the_names_of_the_short_way_alone() -> None:
    """Another thread may go through them."""
    loaded = pfa.load({"input": "int", "output": "int", "action": {"//": [1, "input"]}})
    before = dict(loaded._names)
    assert isinstance(loaded.score_batch([0])[0], pfa.ScoringError)
    assert loaded._names == before


def test_a_document_that_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_args: object, **_more: object) -> object:
        raise ValueError("for a test")

    monkeypatch.setattr("pfa.compiler.compiled", fails)
    loaded = pfa.load((ROOT / "models/hello.pfa").read_bytes())
    assert loaded.fallback == "ValueError: for a test"
    assert not loaded.describe()["compiled"]
    assert loaded.score(3.14) == 103.14
    made = pfa.load_artifact(loaded.to_artifact())
    assert made.fallback == loaded.fallback
    assert made.score(3.14) == 103.14
    assert made.source == ""


CODE = """
import json, sys, pfa
made = pfa.load_artifact(open(sys.argv[1], "rb").read())
for example in json.loads(made.metadata["examples"]):
    assert made.score(example["input"]) == example["expected"]
    assert made.score_batch([example["input"]] * 20) == [example["expected"]] * 20
assert "def score(record)" in made.source
print(sorted({"titus", "numpy", "avro", "pfa.compat"} & sys.modules.keys()))
"""


@pytest.mark.parametrize("name", ["hello", "credit", "real_estate"])
def test_nothing_large_is_imported(name: str, tmp_path: Path) -> None:
    loaded = pfa.load((ROOT / f"models/{name}.pfa").read_bytes())
    path = tmp_path / "artifact"
    path.write_bytes(loaded.to_artifact())
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(path)],
        cwd=ROOT / "functions",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


class TestRefused:
    """What is not exactly an artifact for this engine and this Python."""

    @pytest.fixture
    def made(self) -> bytes:
        return pfa.load((ROOT / "models/hello.pfa").read_bytes()).to_artifact()

    def test_no_artifact(self) -> None:
        for data in (b"", b"{}", b"pfa-score artifact 0\n", artifact.FORMAT[:-1]):
            with pytest.raises(pfa.DocumentError, match="not an artifact of this version"):
                pfa.load_artifact(data)

    def test_cut_off_or_altered(self, made: bytes) -> None:
        for length in range(len(artifact.FORMAT), len(made)):
            with pytest.raises(pfa.DocumentError, match="cut off or altered"):
                pfa.load_artifact(made[:length])
        for place in range(len(artifact.FORMAT), len(made), 7):
            data = bytearray(made)
            data[place] ^= 1
            with pytest.raises(pfa.DocumentError, match="cut off or altered"):
                pfa.load_artifact(bytes(data))

    def test_of_another_engine(self, made: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(model, "VERSION", "pfa-score 0.0.0, titus2 1.2.0")
        with pytest.raises(pfa.DocumentError, match="another version of the engine"):
            pfa.load_artifact(made)

    def test_of_other_sources(self, made: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        key = pfa.artifact_key()
        monkeypatch.setattr(artifact.sources, "digest", lambda: "another")
        assert pfa.artifact_key() != key
        with pytest.raises(pfa.DocumentError, match="another state of the engine"):
            pfa.load_artifact(made)

    def test_of_another_python(self, made: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.MAGIC_NUMBER", b"\x00\x01\r\n")
        with pytest.raises(pfa.DocumentError, match="another version of Python"):
            pfa.load_artifact(made)
