"""From titus's typed syntax tree to Python.

titus's type checker walks a document and hands each node, with its types, to a task: children
first. This one answers with a piece of code (code.py), and for the whole document with a Program.
The methods for the forms of PFA are in values.py, control.py, state.py and calls.py.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from pfa.compat import tags
from pfa.compat.loader import load
from pfa.compiler.calls import Calls
from pfa.compiler.code import Code, Statement, Temporaries
from pfa.compiler.control import Control
from pfa.compiler.program import Program, write
from pfa.compiler.state import State
from pfa.compiler.values import Values
from pfa.specialise import MISSING

MAX_WRITTEN = 40_000_000  # characters of all pieces, each counted once per level around it
MAX_TYPES = 4_000_000  # characters of all types that are handed to library functions

_genpy = load("titus.genpy")


class Unsupported(Exception):
    """The document is left to titus's own engine."""


class Lowering(Values, Control, State, Calls):
    """The task of one document."""

    def __init__(self, config: Any, short_names: bool) -> None:
        """Take the document's syntax tree (EngineConfig), and see tags.SHORT_NAMES."""
        self.config = config
        self.short_names = short_names
        self.temporaries = Temporaries()
        self.bound: dict[str, Any] = {}
        self.definitions: list[Statement] = []
        self.constant_cells = constant_cells(config)
        self.read_cells: set[str] = set()  # constant cells whose value the code reads
        self.user_functions = {
            f"u.{name}": f"u{number}_{name.replace('.', '_')}"
            for number, name in enumerate(config.fcns, 1)
        }
        self.specialised: list[str] = []
        # titus hands on a record with a namespace in its tag: reading a field of it is an error.
        self.trusts_records = short_names or not has_if_not_null(config)
        self._types: dict[str, str] = {}
        self._written = self._type_text = 0

    def __call__(self, context: Any, options: Any) -> Any:
        """Give the code of a node."""
        tags.add_tags(self, context, options)
        name = type(context).__qualname__.removesuffix(".Context")
        if name == "EngineConfig":
            return write(self, context)
        lower: Callable[[Any], Any] = getattr(self, f"lower_{name}")
        made = lower(context)
        if isinstance(made, Code):
            made.avro_type = getattr(context, "retType", None)
            self._count(len(made.text))
        return made

    def _count(self, characters: int) -> None:
        self._written += characters
        if self._written > MAX_WRITTEN:
            raise Unsupported("the document makes too much code")

    def wrap(self, code: Code, tag: str) -> Code:
        """Tag a value of a union."""
        if code.text == "None":
            return code
        if code.value is not MISSING:
            return self.made(f"{{{tag!r}: {code.text}}}", [code])
        wrap = self.bind_as("wrapAsUnion", _genpy.wrapAsUnion)
        return self.made(f"{wrap}({code.text}, {tag!r})", [code])

    def made(self, text: str, parts: list[Code], kind: int = 2) -> Code:
        """Code of which ``parts`` (at most one with statements) were written into ``text``."""
        before = [statement for part in parts for statement in part.before]
        depth = 1 + max((part.depth for part in parts), default=0)
        return Code(text, before, kind, depth=depth)

    def again(self, context: Any, options: Any) -> Any:
        """Give the code of a node whose parts were tagged."""
        return self(context, options)

    def cell_name(self, cell: str) -> str:
        """Name under which the code sees the value of a constant cell."""
        return f"c_{identifier(cell)}"

    def bind_as(self, name: str, value: Any) -> str:
        """Let the generated code see ``value`` under this name."""
        self.bound.setdefault(name, value)
        return name

    def bind(self, hint: str, value: Any) -> str:
        """Let the generated code see ``value``; return its name."""
        name = f"k{len(self.bound)}_{identifier(hint)}"
        self.bound[name] = value
        return name

    def types(self, types: list[Any]) -> str:
        """Bind what titus hands to a library function as the types of a call."""
        text = f"[{', '.join(map(repr, types))}]"
        self._type_text += len(text)
        if self._type_text > MAX_TYPES:
            raise Unsupported("the document's types are too large for so many calls")
        known = self._types.get(text)
        if known is None:
            known = self._types[text] = self.bind("types", interned(json.loads(text)))
        return known


def identifier(text: str) -> str:
    """Return the characters of a text that may be in a name."""
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in text[:40])


def interned(value: Any) -> Any:
    """Return a JSON value with interned strings: titus compares some by identity."""
    if isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, list):
        return [interned(item) for item in value]
    if isinstance(value, dict):
        return {sys.intern(key): interned(item) for key, item in value.items()}
    return value


class _Find:
    """Collects nodes of some classes."""

    def __init__(self, *classes: Any) -> None:
        self.classes = classes

    def isDefinedAt(self, node: Any) -> bool:  # noqa: N802 - titus's name
        return isinstance(node, self.classes)

    def __call__(self, node: Any) -> Any:
        return node


def constant_cells(config: Any) -> set[str]:
    """Return the cells that are the document's own and never written."""
    written = {node.cell for node in config.collect(_Find(_genpy.CellTo))}
    return {name for name, cell in config.cells.items() if not cell.shared and name not in written}


def has_if_not_null(config: Any) -> bool:
    """Tell whether the document takes values out of unions by ``ifnotnull``."""
    return bool(config.collect(_Find(_genpy.IfNotNull)))


__all__ = ["Lowering", "Program", "Unsupported"]
