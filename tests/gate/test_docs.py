"""docs/models.md says what the gate does: the checks, their messages, the limits."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from gate import checks
from gate.verdict import Limits

ROOT = Path(__file__).resolve().parents[2]
GATE = ROOT / "functions/gate"
PAGE = (ROOT / "docs/models.md").read_text(encoding="utf-8")
ANY = "…"
# Code of the page that is no message: commands, JSON, what the engine or a report says.
NO_MESSAGE = (
    "make ",
    "digits = ",
    ".venv/",
    "curl ",
    "aws ",
    "python ",
    "{",
    "PFA semantic error",
    "Model ",
)


def section(title: str) -> str:
    """The text below a title, up to the next one of its level or above."""
    level = title.split(" ")[0]
    found = re.search(rf"^{re.escape(title)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", PAGE, re.M | re.S)
    assert found, title
    return found[1]


def code(text: str) -> list[str]:
    """What stands as code in running text and tables, each on one line."""
    without = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", without)]


def template(node: ast.expr) -> str | None:
    """A text of the source, with … for what is put into it."""
    if isinstance(node, ast.JoinedStr):
        parts = [it.value if isinstance(it, ast.Constant) else ANY for it in node.values]
        return "".join(map(str, parts)).strip()
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.strip()
    return None


@cache
def templates(path: Path) -> tuple[str, ...]:
    """All texts of a source file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    whole = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in whole for part in node.values}
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.expr))
    found = (template(node) for node in nodes if id(node) not in parts)
    return tuple(text for text in found if text)


def said(path: Path) -> Iterator[str]:
    """The messages of a source file: what its errors and results are made with."""
    makers = {"CheckError", "Result", "ExamplesError", "RoutesError", "one_finding", "_refused"}
    names = {"message", "words", "why"} if path.stem == "checks" else {"message"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        values: list[ast.expr] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in makers:
                values = node.args[:1] if node.func.id not in ("one_finding", "_refused") else []
                values += node.args[1:2] if not values else []
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            values = [node.value] if node.targets[0].id in names else []
        for text in filter(None, map(template, values)):
            if len(text.replace(ANY, "")) > 8:
                yield text


def matches(pattern: str, text: str) -> bool:
    """Say whether a text is a template with more or less put into it."""
    wanted = ".+?".join(map(re.escape, pattern.split(ANY)))
    return re.fullmatch(wanted, text) is not None


def test_the_checks_are_those_of_the_code_in_their_order() -> None:
    rows = re.findall(r"^\| `([a-z]+)` \| ", section("## The checks"), re.M)
    assert tuple(rows) == checks.NAMES
    picture = re.search(r"checks\[(.*?)\]", PAGE)
    assert picture
    assert tuple(re.findall(r"\w+", picture[1].replace("<br/>", ""))) == checks.NAMES


@pytest.mark.parametrize(
    "name", ["steps", "checks", "replay", "routes", "bounds", "live", "promote"]
)
def test_every_message_of_the_gate_is_on_the_page(name: str) -> None:
    page = code(PAGE)
    passed = {"routes": "versions are named", "versions": "was, live", "size": "bytes of at most"}
    missing = [
        text
        for text in said(GATE / f"{name}.py")
        if not any(matches(text, there) for there in page)
        and not any(words in text for words in passed.values())
    ]
    assert not missing


def test_what_a_rollback_says_is_on_the_page() -> None:
    page = code(PAGE)
    texts = [text for text in templates(GATE / "rollback.py") if text.startswith("Nothing was")]
    assert len(texts) > 5
    assert not [text for text in texts if not any(matches(text, there) for there in page)]


def test_every_message_on_the_page_is_one_of_the_code() -> None:
    others = (ROOT / "functions/pfa/document.py", ROOT / "scripts/rollback.py")
    files = [*GATE.glob("*.py"), *others]
    known = [text for path in files for text in templates(path) if len(text.replace(ANY, "")) > 5]
    texts = code(section("## The checks") + section("## Something is wrong now"))
    texts = [text for text in texts if text.count(" ") > 1 and not text.startswith(NO_MESSAGE)]
    assert len(texts) > 40

    def is_known(text: str) -> bool:
        if any(matches(pattern, text) for pattern in known):
            return True
        parts = text.removesuffix(".").split("; ")  # a message that is put together
        return len(parts) > 1 and all(map(is_known, parts))

    assert not [text for text in texts if not is_known(text)]


def test_the_commands_say_what_the_page_says() -> None:
    texts = [text for text in code(PAGE) if text.startswith("Model … ")]
    known = templates(GATE / "rollback.py")
    assert len(texts) == 2
    assert not [text for text in texts if not any(matches(it, text) for it in known)]


def test_the_limits_are_those_of_the_template_and_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.+?) \| ", section("## Limits"), re.M)
    source = (GATE / "verdict.py").read_text(encoding="utf-8")
    assert {variable for _, variable, _ in rows} == set(re.findall(r"GATE_[A-Z0-9_]+", source))
    stack = (ROOT / "template.yaml").read_text(encoding="utf-8")
    for parameter, variable, default in rows:
        found = re.search(rf"^  {parameter}:\n    Type: \w+\n    Default: (.+)$", stack, re.M)
        assert found and found[1] == default, parameter
        assert f"{variable}: !Ref {parameter}" in stack
    usual = Limits()
    on_the_desk = {
        "GATE_MAX_MB": usual.max_mb,
        "GATE_MIN_EXAMPLES": usual.min_examples,
        "GATE_LOAD_SECONDS": usual.load_seconds,
        "GATE_EXAMPLE_SECONDS": usual.example_seconds,
        "GATE_P99_MS": usual.p99_ms,
        "GATE_MEMORY_MB": usual.memory_mb,
    }
    stated = {variable: default for _, variable, default in rows}
    assert {name: float(stated[name]) for name in on_the_desk} == on_the_desk
