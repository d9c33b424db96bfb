"""titus.producer.expression on today's Python: it reads Python 2's syntax tree.

The tools that make PFA (titus.producer) are not used by the engine. They come with titus2, and
load only when somebody imports them.
"""

import ast
from types import SimpleNamespace
from typing import Any

from pfa.compat.loader import mends


class _Num(ast.expr):
    """A number, as Python 2 had it."""

    _fields = ("n",)


class _Str(ast.expr):
    """A text, as Python 2 had it."""

    _fields = ("s",)


class _Index(ast.expr):
    """What is in the brackets of ``x[1]``."""

    _fields = ("value",)


class _Print(ast.stmt):
    """The print statement, which makes a ``log``."""

    _fields = ("values",)


class _AsInPython2(ast.NodeTransformer):
    """Turn today's syntax tree into the one that titus.producer.expression looks for."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if node.value is None or isinstance(node.value, bool):
            made: ast.AST = ast.Name(id=str(node.value), ctx=ast.Load())
        elif isinstance(node.value, str):
            made = _make(_Str, node.value)
        elif isinstance(node.value, int | float):
            made = _make(_Num, node.value)
        else:
            return node
        return ast.copy_location(made, node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        node.slice = ast.copy_location(_make(_Index, node.slice), node)
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        self.generic_visit(node)
        vars(node)["type"] = node.exc
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        call = node.value
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            return node
        if call.func.id != "print" or call.keywords:
            return node
        printed: ast.AST = _make(_Print, call.args)
        return ast.copy_location(printed, node)


def _make(cls: Any, value: Any) -> Any:
    return cls(**{cls._fields[0]: value})


def _parse(text: str) -> ast.AST:
    tree: ast.AST = _AsInPython2().visit(ast.parse(text))
    return tree


@mends("titus.producer.expression")
def _syntax_tree(expression: Any) -> None:
    old = {"Num": _Num, "Str": _Str, "Index": _Index, "Print": _Print, "parse": _parse}
    expression.ast = SimpleNamespace(**{**vars(ast), **old})
