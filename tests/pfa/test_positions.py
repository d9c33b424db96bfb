"""Each line of the generated Python knows where in the document it is from, and errors tell it."""

import ast
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

import pfa
from pfa import compiler
from pfa.__main__ import main
from tests.pfa import programs

ROOT = Path(__file__).parents[2]
MODELS = sorted((ROOT / "models").glob("*.pfa"))
INTS = {"type": "array", "items": "int"}
FOREVER = {"while": True, "do": [{"set": {"i": {"+": ["i", 0]}}}]}


def at(path: str) -> str:
    return f'at PFA field "{path}"'


def followed(document: Any, position: str) -> bool:
    """Tell whether a position is that of something in the document."""
    found = re.fullmatch(r'at PFA field "(.*)"', position)
    assert found, position
    here = document
    for step in found[1].split(" -> "):
        if isinstance(here, list) and step.isdigit():
            here = here[int(step)]
        elif isinstance(here, dict) and step in here:
            here = here[step]
        else:
            return False
    return True


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_models(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = path.read_bytes()
    model = pfa.load(source)
    assert len(model.positions) == len(model.source.splitlines())
    assert any(model.positions)
    for position in filter(None, model.positions):
        assert followed(json.loads(source), position)
    assert pfa.load(source).positions == model.positions
    made = pfa.load_artifact(model.to_artifact())
    assert made.positions == model.positions
    assert made.source == model.source
    assert main(["explain", str(path), "--positions"]) == 0
    shown = capsys.readouterr().out
    assert ast.dump(ast.parse(shown)) == ast.dump(ast.parse(model.source))
    places = [each for each in model.positions if each]
    assert f"# {places[-1].removeprefix('at PFA field ')[1:-1]}" in shown


def test_random_programs() -> None:
    for seed in range(60):
        document = programs.Maker(seed, depth=2 + seed % 4).document()
        try:
            engine = compiler.compiled(document)
        except Exception:  # not well typed
            continue
        module = type(engine).program.module
        lines = module.source.splitlines()
        assert len(module.positions) == len(lines)
        for line, position in zip(lines, module.positions, strict=True):
            if position is None:  # what is there in any document
                assert not re.search(
                    r"v_(?!input|tally|name|instance|metadata|version|actions)|#", line
                )
            else:
                assert followed(document, position), position


DOCUMENT: dict[str, Any] = {
    "input": "double",
    "output": "double",
    "action": [
        {"let": {"i": 0, "a": {"type": INTS, "value": [1, 2]}}},
        {"if": {"==": ["input", 7.0]}, "then": FOREVER},
        {"if": {"==": ["input", 8.0]}, "then": {"u.forever": ["i"]}},
        {"let": {"x": {"m.exp": ["input"]}}},
        {"+": ["x", 1.0]},
    ],
    "fcns": {
        "forever": {"params": [{"i": "int"}], "ret": "int", "do": [{"while": True, "do": ["i"]}, 1]}
    },
}
IN_ACTION = at("action -> 1 -> then")
IN_FUNCTION = at("fcns -> forever -> do -> 0")


def with_state(document: dict[str, Any]) -> dict[str, Any]:
    """Give a document that goes the long way."""
    return {**document, "pools": {"p": {"type": "int", "init": {}}}}


def stopped(document: dict[str, Any], record: float, **limits: Any) -> pfa.ScoringError:
    with pytest.raises(pfa.ScoringError) as raised:
        pfa.load(document).score(record, **limits)
    return raised.value


@pytest.mark.parametrize("document", [DOCUMENT, with_state(DOCUMENT)], ids=["short", "long"])
@pytest.mark.parametrize(("record", "place"), [(7.0, IN_ACTION), (8.0, IN_FUNCTION)])
def test_out_of_time(document: dict[str, Any], record: float, place: str) -> None:
    error = stopped(document, record, timeout=0.05)
    assert isinstance(error, pfa.ScoringTimeout)
    assert error.position is not None
    assert error.position.startswith(place[:-1])


def test_out_of_time_in_a_batch() -> None:
    """More records than FEW go another way, and in it what a line is made of is known, too."""
    model = pfa.load(DOCUMENT)
    for record, place in ((7.0, IN_ACTION), (8.0, IN_FUNCTION)):
        answers = model.score_batch([1.0] * 20 + [record], timeout=0.1)
        assert isinstance(answers[-1], pfa.ScoringTimeout)
        assert answers[-1].position.startswith(place[:-1])
        again = pfa.load_artifact(model.to_artifact()).score_batch([record] * 20, timeout=0.1)
        assert again[0].position.startswith(place[:-1])


def test_out_of_time_in_a_thread() -> None:
    """Where no alarm comes, and the loop looks at the clock."""
    found: list[Any] = []
    run = threading.Thread(
        target=lambda: found.extend(pfa.load(DOCUMENT).score_batch([7.0], timeout=0.05))
    )
    run.start()
    run.join()
    assert found[0].position == IN_ACTION


def test_the_documents_own_limit() -> None:
    error = stopped({**DOCUMENT, "options": {"timeout": 20}}, 7.0)
    assert "gives itself" in str(error)
    assert error.position == IN_ACTION


def test_an_error_of_python() -> None:
    again = {"u.again": [{"+": ["x", 1.0]}]}
    fcns = {"again": {"params": [{"x": "double"}], "ret": "double", "do": again}}
    action = [{"if": {"==": ["input", 2.0]}, "then": {"u.again": "input"}}, *DOCUMENT["action"]]
    document = {**DOCUMENT, "action": action, "fcns": {**fcns, **DOCUMENT["fcns"]}}
    for each in (document, with_state(document)):
        for model in (pfa.load(each), pfa.load_artifact(pfa.load(each).to_artifact())):
            answer, deep = model.score_batch([0.0, 2.0])
            assert answer == 2.0
            assert "too deeply" in str(deep)
            assert deep.position == at("fcns -> again -> do")


def test_out_of_memory() -> None:
    double = {"set": {"a": {"a.concat": ["a", "a"]}}}
    grow = {
        "for": {"n": 0},
        "while": {"<": ["n", 40]},
        "step": {"n": {"+": ["n", 1]}},
        "do": double,
    }
    document = {**DOCUMENT, "action": [DOCUMENT["action"][0], grow, "input"]}
    for each in (document, with_state(document)):
        error = stopped(each, 1.0, memory=50_000_000)
        assert "memory" in str(error)
        assert error.position == at("action -> 1 -> do")


def test_the_documents_own_locator() -> None:
    """What "@" says is in errors as titus tells it."""
    action = [{"@": "row 7", "while": True, "do": {"@": "it's \n#", "+": ["input", 1]}}, "input"]
    document = {"input": "int", "output": "int", "action": action}
    model = pfa.load(document)
    place = 'at row 7 (PFA field "action -> 0")'
    assert place in model.positions
    assert stopped(document, 1, timeout=0.05).position in model.positions
    path = 'at it\'s \n# (PFA field "action -> 0 -> do")'
    assert path in model.positions


def test_locators_in_what_explain_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are comments, whatever is in them."""
    action = [{"let": {"x": {"@": "\nimport this\r\0\ud800\f", "+": ["input", 1]}}}, "x"]
    document = {"input": "int", "output": "int", "action": action}
    path = tmp_path / "model.pfa"
    path.write_text(json.dumps(document))
    assert main(["explain", str(path), "--positions"]) == 0
    shown = capsys.readouterr().out
    assert ast.dump(ast.parse(shown)) == ast.dump(ast.parse(pfa.load(document).source))
