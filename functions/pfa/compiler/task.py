"""From titus's typed syntax tree to Python.

titus's type checker walks a document and hands each node, with its types, to a task: children
first. This one answers with a piece of code (code.py), and for the whole document with a Program.
The methods for the forms of PFA are in values.py, control.py, state.py and calls.py.
"""

import re
from collections.abc import Callable
from typing import Any

from pfa.compat import tags
from pfa.compiler.calls import Calls
from pfa.compiler.code import Code, FunctionCode, place
from pfa.compiler.program import Program, write

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


_METHODS: dict[Any, str] = {}  # what _method gave


def _method(context: Any) -> str:
    """Return the name of the method for a form of PFA, of the class of its context."""
    return "_" + _WORD.sub("_", context.__qualname__.removesuffix(".Context")).lower()


class Lowering(Calls):
    """The task of one document: called with a node's context, it gives its code."""

    def __call__(self, context: Any, options: Any) -> Any:
        """Give the code of a node."""
        tags.add_tags(self, context, options)
        kind = type(context)
        method = _METHODS.get(kind) or _METHODS.setdefault(kind, _method(kind))
        lower: Callable[[Any], Any] = getattr(self, method)
        made = lower(context)
        pos = getattr(context, "pos", None)
        if isinstance(made, Code):
            made.avro_type = getattr(context, "retType", None)
            self.count(made)
            made.pos = made.pos or pos  # a part that gives its value may have set it
            if made.before and pos is not None:
                place(made.before, pos)
        elif isinstance(made, FunctionCode) and pos is not None:
            place(made.statements, pos)
        return made

    def _engine_config(self, context: Any) -> Program:
        return write(self, context)

    def again(self, context: Any, options: Any) -> Any:
        """Give the code of a node whose parts were tagged."""
        return self(context, options)
