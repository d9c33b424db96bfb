"""What the methods for all forms of PFA share: names, bound values, types, limits."""

import json
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

from pfa.compat.loader import load
from pfa.compat.quick import nodes
from pfa.compiler import runtime
from pfa.compiler.code import (
    CONSTANT,
    EXPRESSION,
    VARIABLE,
    Block,
    Code,
    Statement,
    Temporaries,
    UnsupportedError,
    inside,
    placed,
)
from pfa.specialise import MISSING

MAX_WRITTEN = 40_000_000  # characters of all pieces, each counted once per level around it
MAX_TYPES = 4_000_000  # characters of all types that are handed to library functions

_genpy = load("titus.genpy")


class Base:
    """What is known of a document while its code is made."""

    def __init__(self, config: Any, short_names: bool) -> None:
        """Take the document's syntax tree (EngineConfig), and see tags.SHORT_NAMES."""
        self.config = config
        self.short_names = short_names
        self.temporaries = Temporaries()
        self.bound: dict[str, Any] = {}  # what the code sees under which name
        self.short: dict[str, str] = {}  # what may be written for a call of which name
        self.constant_cells = _constant_cells(config)
        self.read_cells: dict[str, str] = {}  # the name under which the code sees a constant cell
        self.user_functions = {
            f"u.{name}": f"u{number}_{identifier(name)}"
            for number, name in enumerate(config.fcns, 1)
        }
        # Without short names titus may leave a record with a namespace in its tag, so that a field
        # of it is missing.
        action, others = nodes(config)
        self.trusts_records = short_names or not any(
            isinstance(node, _genpy.IfNotNull) for node in [*action, *others]
        )
        # That it is not the name of something else, which PFA lets it be in some places.
        self.input_is_given = not any(
            "input" in _NAMES[type(node)](node) for node in action if type(node) in _NAMES
        )
        self.lowered_cells: set[str] = set()  # of which a kernel made what it needs
        self._cell_values: dict[str, Any] = {}
        self.cell_keys: dict[str, int] = {}  # keys of JSON objects in a cell that was lowered
        self.uses_random = False
        self._types: dict[str, str] = {}
        self._written = self._type_text = 0

    def count(self, code: Code) -> None:
        """Bound how much is written; raises UnsupportedError."""
        self._written += len(code.text)
        if self._written > MAX_WRITTEN:
            raise UnsupportedError("the document makes too much code")

    def wrap(self, code: Code, tag: str) -> Code:
        """Tag a value of a union."""
        if code.text == "None":
            return code
        if code.value is not MISSING:
            text = f"{{{tag!r}: {code.text}}}"
        else:
            text = f"{self.bind_as('tagged', runtime.tagged)}({code.text}, {tag!r})"
        made = self.made(text, [code])
        made.pos = code.pos
        return made

    def made(self, text: str, parts: Sequence[Code]) -> Code:
        """Code of which ``parts``, of which only the first has statements, are in ``text``."""
        before = [statement for part in parts for statement in part.before]
        depth = 1 + max((part.depth for part in parts), default=0)
        return Code(text, before, EXPRESSION, depth=depth)

    def run(self, codes: Sequence[Code]) -> list[Statement]:
        """Statements that evaluate codes in order for what they do."""
        statements: list[Statement] = []
        for code in codes:
            statements += code.before
            if code.kind not in (CONSTANT, VARIABLE):
                statements.append(placed(code.text, code.pos))
        return statements

    def block(self, codes: Sequence[Code]) -> tuple[list[Statement], Code]:
        """Statements that evaluate codes in order, and the code of the last one's value."""
        last = codes[-1]
        return [*self.run(codes[:-1]), *last.before], last

    def into(self, name: str, codes: Sequence[Code]) -> list[Statement]:
        """Statements that evaluate codes in order and keep the value of the last."""
        statements, last = self.block(codes)
        return [*statements, placed(f"{name} = {last.text}", last.pos)]

    def conditional(
        self,
        before: list[Statement],
        condition: str,
        then: list[Statement],
        otherwise: list[Statement] | None,
        result: str = "None",
    ) -> Code:
        """Code of an ``if`` statement whose value is in the variable ``result``."""
        statements = [*before, Block(f"if {condition}:", then)]
        if otherwise is not None:
            statements.append(Block("else:", otherwise))
        return Code(result, statements, CONSTANT if result == "None" else VARIABLE)

    def cell_name(self, cell: str) -> str:
        """Name under which the code sees the value of a constant cell."""
        return self.read_cells.setdefault(cell, f"c{len(self.read_cells)}_{identifier(cell)}")

    def cell_value(self, cell: str) -> Any:
        """Return the decoded value of a constant cell."""
        if cell not in self._cell_values:
            config = self.config.cells[cell]
            decode = _genpy.titus.datatype.jsonDecoder
            self._cell_values[cell] = decode(config.avroType, config.initJsonNode)
        return self._cell_values[cell]

    def cell_at(self, cell: str, path: Sequence[Code]) -> Any:
        """Return what is at a path of a constant cell; MISSING if that is not known, or nothing."""
        if any(step.value is MISSING for step in path):
            return MISSING
        return inside(self.cell_value(cell), path)

    def bind_as(self, name: str, value: Any) -> str:
        """Let the generated code see ``value`` under this name."""
        self.bound.setdefault(name, value)
        return name

    def bind(self, hint: str, value: Any, short: str | None = None) -> str:
        """Let the generated code see ``value``; return its name. For ``short`` see Site.bind."""
        name = self.bind_as(f"k{len(self.bound)}_{identifier(hint)}", value)
        if short is not None:
            self.short[name] = short
        return name

    def types(self, types: list[Any]) -> str:
        """Bind what titus hands to a library function as the types of a call."""
        text = f"[{', '.join(map(repr, types))}]"
        self._type_text += len(text)
        if self._type_text > MAX_TYPES:
            raise UnsupportedError("the document's types are too large for so many calls")
        known = self._types.get(text)
        if known is None:
            known = self._types[text] = self.bind("types", _interned(json.loads(text)))
        return known


def identifier(text: str) -> str:
    """Return a text with only such characters as may be in a name, and at most 40."""
    return _OTHERS.sub("_", text[:40])


_OTHERS = re.compile(r"[^A-Za-z0-9]")


def _interned(value: Any) -> Any:
    """Return a JSON value with interned strings: titus compares some by identity."""
    if isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, list):
        return [_interned(item) for item in value]
    if isinstance(value, dict):
        return {sys.intern(key): _interned(item) for key, item in value.items()}
    return value


# Gives the names of variables in a node that may be those of others around them.
_NAMES: dict[Any, Callable[[Any], Any]] = {
    _genpy.titus.pfaast.FcnDef: lambda node: [
        name for each in node.paramsPlaceholder for name in each
    ],
    _genpy.titus.pfaast.CastCase: lambda node: [node.named],
    _genpy.titus.pfaast.IfNotNull: lambda node: node.exprs,
}


def _constant_cells(config: Any) -> set[str]:
    """Return the cells that are the document's own and never written."""
    written = {node.cell for part in nodes(config) for node in part if type(node) is _genpy.CellTo}
    return {name for name, cell in config.cells.items() if not cell.shared and name not in written}
