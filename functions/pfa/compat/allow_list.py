"""What may be in the code that titus generates from a document.

``check`` walks the whole syntax tree, and refuses everything that titus's generator has no reason
to write: here is listed what may be there, not what may not. Each kind of node has a function that
looks at the node and gives the nodes below it that are still to be looked at.
"""

import ast
import re
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class Rejected(Exception):  # noqa: N818
    """The generated code holds something that the generator would not write."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What the methods of the generated class are called, and their parameters.
_METHODS = {
    "__init__": (
        *("self", "cells", "pools", "config", "options"),
        *("log", "emit", "zero", "instance", "rand"),
    ),
    "initialize": ("self",),
    "begin": ("self",),
    "action": ("self", "input", "check"),
    "merge": ("self", "tallyOne", "tallyTwo"),
    "end": ("self",),
    "pooldel": ("self", "name", "item"),
}
_FUNCTIONS = _words(
    "DynamicScope ExecutionState call cast checkData cond condElse do doFor doForeach doForkeyval"
    " doUntil doWhile error float get ifNotNull ifNotNullElse ifThen ifThenElse labeledFcn len"
    " pack set tryCatch unpack unpackElse update wrapAsUnion"
)
# Names of JSON's words and of floats that Python has no literal for: schemas and numbers are
# pasted as JSON text.
WORDS = MappingProxyType(
    {
        "true": True,
        "false": False,
        "null": None,
        "inf": float("inf"),
        "nan": float("nan"),
        "Infinity": float("inf"),
        "NaN": float("nan"),
    }
)
_READ = _words(
    "cells check config emit input instance item last log name options pools rand scope state"
    " tallyOne tallyTwo zero"
) | frozenset(WORDS)
_WRITTEN = _words("cell input last p pool scope state")
_FIELDS = _words(
    "actionsFinished actionsStarted callGraph cells config emit inputType instance log options"
    " outputType pools rand tally"
)
# attributes of names: which may be read, which called
_ATTRIBUTES = {
    "self": _FIELDS | {"parser"},
    "config": frozenset({"input", "output"}),
    "math": frozenset({"e", "pi"}),
    "p": frozenset({"value"}),
}
_BACKUP = frozenset({"maybeRestoreBackup", "maybeSaveBackup"})
_CALLED = {
    "self": frozenset({"log", "pooldel"}),
    "scope": frozenset({"get", "let", "set"}),
    "cell": _BACKUP,
    "pool": _BACKUP,
    "math": _words("acos asin atan atan2 cos cosh exp fabs log log10 sin sinh sqrt tan tanh"),
}
_CONSTANTS = frozenset({str, int, float, bool, bytes, type(None)})
_OPERATORS = frozenset(
    {ast.Add, ast.Sub, ast.BitAnd, ast.BitOr, ast.BitXor, ast.Not, ast.Invert, ast.USub}
)

_Nodes = Sequence[ast.AST]


def _require(condition: bool, node: ast.AST) -> None:
    if not condition:
        raise Rejected(type(node).__name__)


def _is_self(node: ast.AST, *fields: str) -> bool:
    """Is this ``self.<one of fields>``, read?"""
    return (
        type(node) is ast.Attribute
        and node.attr in fields
        and type(node.value) is ast.Name
        and node.value.id == "self"
    )


def _is_item(node: ast.AST, *fields: str) -> bool:
    """Is this ``self.<one of fields>["constant text"]``?"""
    return (
        type(node) is ast.Subscript
        and _is_self(node.value, *fields)
        and type(node.slice) is ast.Constant
        and type(node.slice.value) is str
    )


def _name(node: ast.Name) -> _Nodes:
    allowed = _READ if type(node.ctx) is ast.Load else _WRITTEN
    _require(node.id in allowed and type(node.ctx) is not ast.Del, node)
    return ()


def _attribute(node: ast.Attribute) -> _Nodes:
    base = node.value
    if type(node.ctx) is ast.Store:
        _require(_is_self(node, *_FIELDS), node)
    elif type(base) is ast.Name:
        _require(node.attr in _ATTRIBUTES.get(base.id, ()), node)
    elif _is_self(base, "config"):
        _require(node.attr in ("name", "metadata", "version"), node)
    else:
        _require(_is_item(base, "cells", "pools") and node.attr == "value", node)
    return ()


def _subscript(node: ast.Subscript) -> _Nodes:
    if type(node.slice) is ast.Slice:
        _require(type(node.ctx) is ast.Load and node.slice.step is None, node)
        bounds = (node.slice.lower, node.slice.upper)
        return [node.value, *(bound for bound in bounds if bound is not None)]
    if _is_item(node, "f"):
        _require(type(node.ctx) is not ast.Del, node)
        return ()
    if _is_self(node.value, "f"):  # self.f["u." + the function's name, from an enum]
        name = node.slice
        if not isinstance(name, ast.BinOp) or not isinstance(name.left, ast.Constant):
            raise Rejected("Subscript")
        _require(type(name.op) is ast.Add and name.left.value == "u.", node)
        _require(type(node.ctx) is ast.Load, node)
        return [name.right]
    is_pool = _is_self(node.value, "pools") and type(node.ctx) is ast.Load
    is_deleted = (
        type(node.ctx) is ast.Del
        and type(node.value) is ast.Attribute
        and type(node.value.value) is ast.Name
        and node.value.value.id == "p"
    )
    _require(is_pool or is_deleted, node)  # self.pools[name], del p.value[item]
    return [node.value, node.slice]


def _call(node: ast.Call) -> _Nodes:
    _require(not node.keywords, node)
    target = node.func
    if type(target) is ast.Name:
        _require(target.id in _FUNCTIONS, node)
        return node.args
    if type(target) is ast.Subscript:
        _require(_is_self(target.value, "f"), node)
        return [target, *node.args]
    if not isinstance(target, ast.Attribute):
        raise Rejected("Call")
    base = target.value
    if type(base) is ast.Name:
        _require(target.attr in _CALLED.get(base.id, ()), node)
    elif type(base) is ast.Subscript:
        _require(_is_item(base, "cells", "pools") and target.attr == "update", node)
    elif _is_self(base, "cells", "pools"):
        _require(target.attr == "values" and not node.args, node)
    elif isinstance(base, ast.Attribute):  # self.f["emit"].engine.emit(...)
        _require(target.attr == "emit" and base.attr == "engine", node)
        _require(_is_item(base.value, "f"), node)
    else:
        raise Rejected("Call")
    return node.args


def _lambda(node: ast.Lambda) -> _Nodes:
    _require(_parameters(node.args) in ((), ("state", "scope")), node)
    _require(not node.args.defaults, node)
    return [node.body]


def _parameters(args: ast.arguments) -> tuple[str, ...] | None:
    """Give the names of plain parameters, None if there are any of another kind."""
    if args.posonlyargs or args.kwonlyargs or args.vararg or args.kwarg or args.kw_defaults:
        return None
    if any(arg.annotation for arg in args.args):
        return None
    return tuple(arg.arg for arg in args.args)


def _constant(node: ast.Constant) -> _Nodes:
    _require(type(node.value) in _CONSTANTS, node)
    return ()


def _dict(node: ast.Dict) -> _Nodes:
    for key in node.keys:  # None stands for **
        _require(type(key) is ast.Constant and type(key.value) is str, node)
    return node.values


def _elements(node: ast.List | ast.Tuple) -> _Nodes:
    _require(type(node.ctx) is ast.Load, node)
    return node.elts


def _set(node: ast.Set) -> _Nodes:
    for element in node.elts:
        _require(type(element) is ast.Constant, node)
    return ()


def _binary(node: ast.BinOp) -> _Nodes:
    _require(type(node.op) in _OPERATORS, node)
    return (node.left, node.right)


def _unary(node: ast.UnaryOp) -> _Nodes:
    _require(type(node.op) in _OPERATORS, node)
    return (node.operand,)


def _boolean(node: ast.BoolOp) -> _Nodes:
    return node.values


def _expression(node: ast.Expr) -> _Nodes:
    if type(node.value) is ast.Name and node.value.id == "self":
        return ()  # the whole body of an initialize() that has nothing to do
    return (node.value,)


def _assign(node: ast.Assign) -> _Nodes:
    _require(len(node.targets) == 1, node)
    target = node.targets[0]
    if type(target) is ast.Subscript:
        _require(_is_item(target, "f"), node)
    else:
        _require(type(target) in (ast.Name, ast.Attribute), node)
    return (target, node.value)


def _increment(node: ast.AugAssign) -> _Nodes:
    _require(_is_self(node.target, "actionsStarted", "actionsFinished"), node)
    _require(type(node.op) is ast.Add and type(node.value) is ast.Constant, node)
    return ()


def _delete(node: ast.Delete) -> _Nodes:
    _require(len(node.targets) == 1 and type(node.targets[0]) is ast.Subscript, node)
    return node.targets


def _return(node: ast.Return) -> _Nodes:
    return () if node.value is None else (node.value,)


def _raise(node: ast.Raise) -> _Nodes:
    _require(node.exc is None and node.cause is None, node)
    return ()


def _if(node: ast.If) -> _Nodes:
    test = node.test
    _require(not node.orelse, node)
    if type(test) is ast.Compare:  # self.config.version is not None
        _require([type(operator) for operator in test.ops] == [ast.IsNot], node)
        return [test.left, *test.comparators, *node.body]
    _require(type(test) is ast.Name and test.id == "check", node)
    return node.body


def _for(node: ast.For) -> _Nodes:
    _require(not node.orelse and type(node.target) is ast.Name, node)
    _require(type(node.iter) is ast.Call and not node.iter.args, node)
    return [node.target, node.iter, *node.body]


def _try(node: ast.Try) -> _Nodes:
    _require(not node.orelse and not node.finalbody and len(node.handlers) == 1, node)
    handler = node.handlers[0]
    if handler.name is not None or not isinstance(handler.type, ast.Name):
        raise Rejected("Try")
    _require(handler.type.id in ("Exception", "KeyError"), node)
    return [*node.body, *handler.body]


def _pass(_node: ast.Pass) -> _Nodes:
    return ()


_CHECKS: dict[type[ast.AST], Callable[[Any], _Nodes]] = {
    ast.Assign: _assign,
    ast.Attribute: _attribute,
    ast.AugAssign: _increment,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.Call: _call,
    ast.Constant: _constant,
    ast.Delete: _delete,
    ast.Dict: _dict,
    ast.Expr: _expression,
    ast.For: _for,
    ast.If: _if,
    ast.Lambda: _lambda,
    ast.List: _elements,
    ast.Name: _name,
    ast.Pass: _pass,
    ast.Raise: _raise,
    ast.Return: _return,
    ast.Set: _set,
    ast.Subscript: _subscript,
    ast.Try: _try,
    ast.Tuple: _elements,
    ast.UnaryOp: _unary,
}


def _class_body(tree: ast.Module) -> list[ast.stmt]:
    """Check the frame, one class with known methods, and give the statements in the methods."""
    _require(len(tree.body) == 1, tree)
    cls = tree.body[0]
    if not isinstance(cls, ast.ClassDef):
        raise Rejected(type(cls).__name__)
    _require(not (cls.keywords or cls.decorator_list or cls.type_params), cls)
    _require(cls.name.startswith("PFA_") and NAME.fullmatch(cls.name) is not None, cls)
    _require([ast.unparse(base) for base in cls.bases] == ["PFAEngine"], cls)
    seen: set[str] = set()
    statements: list[ast.stmt] = []
    for method in cls.body:
        if not isinstance(method, ast.FunctionDef):
            raise Rejected(type(method).__name__)
        _require(method.name in _METHODS and method.name not in seen, method)
        seen.add(method.name)
        _require(_parameters(method.args) == _METHODS[method.name], method)
        _require(not (method.decorator_list or method.returns or method.type_params), method)
        defaults = [ast.unparse(default) for default in method.args.defaults]
        _require(defaults == (["True"] if method.name == "action" else []), method)
        statements.extend(method.body)
    return statements


def check(tree: ast.Module) -> None:
    """Look at every node of the generated module.

    Raises Rejected, with the kind of node, if one is not as titus's generator writes it.
    """
    todo: list[ast.AST] = list(_class_body(tree))
    while todo:
        node = todo.pop()
        look = _CHECKS.get(type(node))
        if look is None:
            raise Rejected(type(node).__name__)
        todo.extend(look(node))
