"""Pieces of generated Python: statements, and the expression that gives their value.

PFA is made of expressions, Python of statements and expressions. A piece of code holds the
statements that must run first, and the expression to use afterwards. Where pieces are arguments of
one call, ``in_order`` keeps the order in which they are evaluated, errors included.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pfa.specialise import MISSING, STRING

CONSTANT, VARIABLE, EXPRESSION = range(3)
TITUS = ("state", "scope", "pos", "types")  # what titus's functions get before the arguments
TOO_DEEP = (SyntaxError, MemoryError, RecursionError)  # what Python has for code that is
MAX_DEPTH = 40  # of brackets in one expression; Python's parser gives up at 200

_STRING_OR_NAME = re.compile(rf"{STRING}|[A-Za-z_][A-Za-z0-9_]*")  # a string is left alone


@dataclass(slots=True, eq=False)
class Block:
    """A compound statement: ``header`` ends in a colon. ``pos`` is as in Line, of the header."""

    header: str
    body: "list[Statement]"
    pos: str | None = None


class Line(str):
    """A statement that knows the position, as errors tell it, of the PFA that it is made of."""

    __slots__ = ("pos",)

    pos: str


Statement = str | Block


def placed(text: str, pos: str | None) -> str:
    """Return a statement that knows its position."""
    if pos is None:
        return text
    line = Line(text)
    line.pos = pos
    return line


def place(statements: list[Statement], pos: str) -> None:
    """Let those of the statements know their position that do not know another."""
    for number, each in enumerate(statements):
        if type(each) is str:
            statements[number] = placed(each, pos)
        elif type(each) is Block and each.pos is None:
            each.pos = pos
            place(each.body, pos)


def changed(statements: Iterable[Statement], change: Callable[[str], str]) -> list[Statement]:
    """Return statements with their texts, and those of headers, changed; positions stay."""
    made: list[Statement] = []
    for each in statements:
        if type(each) is Block:
            made.append(Block(change(each.header), changed(each.body, change), each.pos))
        else:
            text = change(each)  # type: ignore[arg-type]
            made.append(each if text == each else placed(text, getattr(each, "pos", None)))
    return made


@dataclass(slots=True, eq=False)
class Code:
    """``text`` after ``before`` gives a value of ``avro_type`` (titus's; None if it is tagged)."""

    text: str
    before: list[Statement] = field(default_factory=list)
    kind: int = EXPRESSION
    avro_type: Any = None
    depth: int = 0  # of brackets in text
    value: Any = MISSING  # of a literal
    cell: str | None = None  # the constant cell that it is read from
    steps: "list[Code] | None" = None  # of the path from that cell to it, if there is one
    call: Any = None  # the Site of the library call that it is
    given: bool = False  # it is the input, or a part of it
    pos: str | None = None  # see Line


@dataclass(slots=True, eq=False)
class FunctionCode:
    """A function as an argument: ``result`` after ``statements``, of ``params``.

    ``library`` is the name of one of titus's, of which nothing else is known.
    """

    params: list[str]
    statements: "list[Statement]"
    result: Code
    library: str = ""
    avro_type: Any = None

    @property
    def body(self) -> Code | None:
        """The function's one expression, if it is one."""
        short = not self.statements and not self.library and self.result.depth <= MAX_DEPTH // 2
        return self.result if short else None

    def define(self, name: str, *first: str) -> Block:
        """Return its definition with the parameters ``first`` before its own."""
        header = f"def {name}({', '.join([*first, *self.params])}):"
        last = placed(f"return {self.result.text}", self.result.pos)
        return Block(header, [*self.statements, last])

    def as_titus(self, name: str) -> Code:
        """Code of the function as titus calls it; ``name`` is free for it."""
        if self.library:
            return Code(self.library, kind=CONSTANT)
        if self.body is None:
            return Code(name, [self.define(name, *TITUS)], VARIABLE)
        header = ", ".join([*TITUS, *self.params])
        return Code(f"(lambda {header}: {self.result.text})", depth=self.result.depth + 1)


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class UnsupportedError(Exception):
    """The document is left to titus's own engine."""


def checked_name(name: Any) -> str:
    """Return a name of the document that goes into the code; UnsupportedError if it is none.

    titus has looked at most of them before, but some come to the task first.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise UnsupportedError("a name is not of letters, digits and underscores")


def variable(name: Any) -> str:
    """Return the variable of the generated code for one of the document."""
    return f"v_{checked_name(name)}"


def render(statements: Iterable[Statement]) -> list[str]:
    """Return the lines of statements."""
    lines: list[str] = []
    _render(statements, "", lines)
    return lines


def _render(statements: Iterable[Statement], indent: str, lines: list[str]) -> None:
    within = indent + "    "
    for statement in statements:
        if isinstance(statement, str):
            lines.append(indent + statement)
        else:
            lines.append(indent + statement.header)
            _render(statement.body, within, lines)
            if _is_empty(statement):
                lines.append(within + "pass")


def _is_empty(block: Block) -> bool:
    """Tell whether there is nothing in a block, or a comment at its end."""
    last = block.body[-1] if block.body else "#"
    return isinstance(last, str) and last.startswith("#")


def positions(statements: Iterable[Statement]) -> Iterator[str | None]:
    """Give the position of each line that ``render`` makes."""
    for statement in statements:
        yield getattr(statement, "pos", None)
        if isinstance(statement, Block):
            yield from positions(statement.body)
            if _is_empty(statement):
                yield statement.pos


class Module:
    """Generated Python."""

    def __init__(self, statements: list[Statement]) -> None:
        """Take its statements."""
        self.statements = statements

    @cached_property
    def source(self) -> str:
        """Its text."""
        return "\n".join(render(self.statements)) + "\n"

    @cached_property
    def positions(self) -> list[str | None]:
        """For each line of the text where it comes from, as errors say it; None if from nowhere."""
        # of names and numbers titus has the mere path
        return [
            f'at PFA field "{each}"' if each and not each.startswith("at ") else each
            for each in positions(self.statements)
        ]


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Return an expression, or a line, with other names."""
    return _STRING_OR_NAME.sub(lambda found: names.get(found[0], found[0]), text)


def all_renamed(statements: Iterable[Statement], names: Mapping[str, str]) -> list[Statement]:
    """Return statements with other names."""
    return changed(statements, lambda text: renamed(text, names))


def blocks_within(statements: Iterable[Statement], of: tuple[str, ...] = ("",)) -> int:
    """Return how deep blocks are nested; ``of``: those whose headers begin so."""
    blocks = [each for each in statements if isinstance(each, Block)]
    depths = (blocks_within(each.body, of) + each.header.startswith(of) for each in blocks)
    return max(depths, default=0)


def assigned(statements: Iterable[Statement]) -> set[str]:
    """Return the variables of PFA (``v_…``) that statements assign."""
    names: set[str] = set()
    for statement in statements:
        if isinstance(statement, Block):
            names |= assigned(statement.body)
            statement = statement.header.removeprefix("for ").replace(" in ", " = ", 1)
        target, equals, _ = statement.partition(" = ")
        if equals and target.startswith("v_"):
            names.update(target.split(", "))
    return names


class Temporaries:
    """Names of variables that hold what an expression gave."""

    def __init__(self) -> None:
        """Begin with t1."""
        self.count = 0

    def new(self, letter: str = "t") -> str:
        """Return a name that was not used before."""
        self.count += 1
        return f"{letter}{self.count}"

    def apart(self, names: Iterable[str]) -> dict[str, str]:
        """Return for variables of PFA (``v_…``) new names, like theirs, that no others have."""
        found = {}
        for name in sorted(names):
            self.count += 1
            found[name] = f"v{self.count}{name.removeprefix('v')}"
        return found

    def hold(self, code: Code, before: list[Statement]) -> str:
        """Return a text for a value that may be written often; append what it needs."""
        before += code.before
        if code.kind != EXPRESSION:
            return code.text
        name = self.new("g" if code.given else "t")  # short.py makes use of that
        before.append(placed(f"{name} = {code.text}", code.pos))
        return name

    def in_order(self, codes: Sequence[Code]) -> tuple[list[Statement], list[str], int]:
        """Return statements, and texts to use once each in their order afterwards; their depth.

        What comes before a piece that needs statements is held in variables.
        """
        last = max((i for i, code in enumerate(codes) if code.before), default=-1)
        before: list[Statement] = []
        texts: list[str] = []
        for i, code in enumerate(codes):
            changed = code.kind == VARIABLE and i < last and code.text.startswith("v_")
            if changed:
                changed = any(code.text in assigned(other.before) for other in codes[i + 1 :])
            if changed:
                before += code.before
                name = self.new()
                before.append(placed(f"{name} = {code.text}", code.pos))
                texts.append(name)
            elif i < last or code.depth >= MAX_DEPTH:
                texts.append(self.hold(code, before))
            else:
                before += code.before
                texts.append(code.text)
        deepest = max((code.depth for code in codes if code.depth < MAX_DEPTH), default=0)
        return before, texts, deepest


def inside(value: Any, path: Iterable[Code]) -> Any:
    """Return what is at a known path of a value; MISSING if it leads nowhere."""
    for step in path:
        at = step.value
        if isinstance(value, list) and at < 0:  # which is an error in PFA
            return MISSING
        try:
            value = value[at]
        except LookupError:
            return MISSING
    return value
