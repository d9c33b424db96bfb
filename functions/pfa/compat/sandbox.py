"""Let nothing but the expected Python out of titus's code generator run.

titus turns a document into the text of a Python class and runs it with ``exec``. Text of the
document (names, strings, schemas) is part of that text. Here ``exec``, as titus.genpy sees it,
becomes one that checks the text against allow_list.py and runs it with a handful of builtins.

The two places where titus pasted text without quoting it properly are mended as well.
"""

import ast
from typing import Any

from pfa.compat.allow_list import NAME, WORDS, Rejected, check
from pfa.compat.loader import mends

# A tree of a forest lives in a cell, not in code: the largest of the sample models makes 12 kB.
# 1 MB of dense numbers takes 300 MB as a syntax tree, which is what a function can spare.
MAX_CODE = 2_000_000  # characters
# Sum of the texts of all nodes while the code grows: a schema is printed at every call, so that a
# document of 80 kB can ask for gigabytes. A text is counted once per level of nesting around it.
MAX_WRITTEN = 40_000_000  # characters

_TOO_MUCH = (
    "the document makes too much code: put large data into cells, and use a large type in fewer"
    " calls"
)
# the only builtins that the generated code uses
_BUILTINS = {
    "__build_class__": __build_class__,
    "__name__": "pfa_document",
    "Exception": Exception,
    "KeyError": KeyError,
    "float": float,
    "len": len,
    "set": set,
    **WORDS,
}


def compile_checked(text: str) -> Any:
    """Compile generated text after checking it.

    Raises Rejected, or what Python's compiler raises.
    """
    tree = ast.parse(text, "<document>")
    check(tree)
    return compile(tree, "<document>", "exec", dont_inherit=True)


@mends("titus.genpy")
def _checked_exec(genpy: Any) -> None:
    """Give titus.genpy an ``exec`` that runs checked text with few builtins."""
    run = exec

    def checked_exec(text: Any, names: dict[str, Any]) -> None:
        if not isinstance(text, str):  # a module of the compiling engine
            text.run(names)
            return
        if len(text) > MAX_CODE:
            raise genpy.PFAInitializationException(_TOO_MUCH)
        try:
            code = compile_checked(text)
        except Rejected as error:
            raise genpy.PFAInitializationException(
                f"the document does not make a scoring engine ({error})"
            ) from None
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if isinstance(error, MemoryError) and not error.args:
                raise  # there is none; with a text it is the parser's limit
            raise genpy.PFAInitializationException(_reason(error)) from None
        names["__builtins__"] = dict(_BUILTINS)
        run(code, names)

    genpy.exec = checked_exec


def _reason(error: BaseException) -> str:
    if isinstance(error, RecursionError | MemoryError) or "too many" in str(error):
        return (
            "expressions are nested too deeply (about 98 levels of if, 190 of function calls):"
            " write a tree as model.tree.simpleTree over a cell"
        )
    return "the document does not make a scoring engine"


@mends("titus.genpy")
def _quoted_text(genpy: Any) -> None:
    """Refuse an engine name that is no name, quote schemas in ``ifnotnull``, bound the text."""
    generator = genpy.GeneratePython
    write = generator.__call__

    def checked_write(self: Any, context: Any, options: Any) -> str:
        if isinstance(context, genpy.EngineConfig.Context):
            name = context.name
            if name is not None and not (isinstance(name, str) and NAME.fullmatch(name)):
                raise genpy.PFASemanticException(
                    "the engine's name must be letters, digits and underscores, and must not"
                    " start with a digit",
                    None,
                )
        if isinstance(context, genpy.IfNotNull.Context):
            text = _if_not_null(context)
        else:
            text = write(self, context, options)
        self.written = getattr(self, "written", 0) + len(text)
        if self.written > MAX_WRITTEN:
            raise genpy.PFAInitializationException(_TOO_MUCH)
        return text

    generator.__call__ = checked_write


def _if_not_null(context: Any) -> str:
    """Write ``ifnotnull``, with the JSON text of each type as a Python string literal."""
    values = ", ".join(f"{name!r}: {text}" for name, _, text in context.symbolTypeResult)
    types = ", ".join(f"{name!r}: {repr(of)!r}" for name, of, _ in context.symbolTypeResult)
    then = ", ".join(context.thenClause)
    clauses = f"lambda state, scope: do({then})"
    function = "ifNotNull"
    if context.elseClause is not None:
        function = "ifNotNullElse"
        clauses += f", lambda state, scope: do({', '.join(context.elseClause)})"
    return f"{function}(state, scope, {{{values}}}, {{{types}}}, {clauses})"
