"""Faults of titus in the language itself: special forms, cells, schemas and literals."""

import json
from contextlib import nullcontext
from functools import cache
from types import CodeType, FunctionType
from typing import Any

from pfa.compat.loader import load, mends


@mends("titus.util")
def _case_classes(util: Any) -> None:
    """Build the classes of syntax-tree nodes from closures.

    titus writes each class's methods as text and compiles it, at every import: 50 times, 31 of the
    180 ms. The closures do the same.
    """
    util.case = case


def _nothing(_: Any) -> None:
    pass


def case(cls: Any) -> Any:
    """Make a class whose ``__init__`` parameters are fields, shown by repr and compared by ==."""
    init = cls.__init__
    parameters: tuple[str, ...] = init.__code__.co_varnames[1 : init.__code__.co_argcount]
    fields = tuple(name for name in parameters if name != "pos")
    checks = init.__code__.co_code != _nothing.__code__.co_code
    takes_pos = len(fields) < len(parameters)
    cls._init = init
    cls.__init__ = _setter(fields, takes_pos, init if checks else None)

    def __repr__(self: Any) -> str:  # noqa: N807
        return f"{cls.__name__}({', '.join(repr(getattr(self, name)) for name in fields)})"

    def __eq__(self: Any, other: Any) -> bool:  # noqa: N807
        return isinstance(other, cls) and all(
            getattr(self, name) == getattr(other, name) for name in fields
        )

    cls.__repr__ = getattr(cls, "toString", __repr__)
    cls.__eq__ = getattr(cls, "equals", __eq__)
    return cls


@cache
def _template(count: int, takes_pos: bool, checks: bool) -> CodeType:
    """Compile an ``__init__`` that sets so many fields, to be given their names."""
    names = [f"x{number}" for number in range(count)]
    every = [*names, "pos"] if takes_pos else names
    lines = [f" self.{name} = {name}" for name in every]
    if checks:
        given = ", ".join(["self", *names, *(["None"] if takes_pos else [])])
        lines.append(f" check({given})")
    text = "\n".join([f"def init({', '.join(['self', *every])}):", *(lines or [" pass"])])
    module = compile(text, "<case>", "exec", dont_inherit=True)
    return next(each for each in module.co_consts if isinstance(each, CodeType))


def _setter(fields: tuple[str, ...], takes_pos: bool, check: Any) -> Any:
    """Make the ``__init__`` that sets these fields, and calls ``check`` with them if there is."""
    code = _template(len(fields), takes_pos, check is not None)
    real = {f"x{number}": name for number, name in enumerate(fields)}
    names, variables = (
        tuple(real.get(name, name) for name in each) for each in (code.co_names, code.co_varnames)
    )
    code = code.replace(co_names=names, co_varnames=variables)
    return FunctionType(code, {"check": check}, "__init__", (None,) if takes_pos else None)


@mends("titus.genpy")
def _try(genpy: Any) -> None:
    """Filter errors of every kind in ``try``, and never swallow the timeout.

    titus reads ``message`` and ``code`` of the exception, which Python's own exceptions do not
    have, so that a filter ends in an AttributeError. And an endless loop under ``try`` in an
    endless loop goes on for ever, whatever the host's timeout.
    """

    def tryCatch(state: Any, scope: Any, exprs: Any, filter: Any) -> Any:  # noqa: N802
        try:
            return exprs(state, scope)
        except (genpy.PFATimeoutException, MemoryError):
            raise
        except Exception as error:
            message = getattr(error, "message", str(error))
            code = getattr(error, "code", None)
            if filter is None or message in filter or (code is not None and code in filter):
                return None
            raise

    genpy.tryCatch = tryCatch


@mends("titus.genpy")
def _locks(genpy: Any) -> None:
    """Release the lock of a shared cell or pool when its update fails.

    titus does not, and the next action waits for it for ever.
    """

    def cell_update(self: Any, state: Any, scope: Any, path: Any, to: Any, *where: Any) -> Any:
        with self.lock if self.shared else nullcontext():
            self.value = genpy.update(state, scope, self.value, path, to, *where)
            return self.value

    def pool_update(
        self: Any, state: Any, scope: Any, path: Any, to: Any, init: Any, *where: Any
    ) -> Any:
        item, rest = path[0], path[1:]
        with _item_lock(self, item) if self.shared else nullcontext():
            if item not in self.value:
                self.value[item] = init
            self.value[item] = genpy.update(state, scope, self.value[item], rest, to, *where)
            return self.value[item]

    def _item_lock(pool: Any, item: str) -> Any:
        with pool.locklock:
            return pool.locks.setdefault(item, genpy.threading.Lock())

    genpy.Cell.update = cell_update
    genpy.Pool.update = pool_update


@mends("titus.genpy")
def _merge_timeout(genpy: Any) -> None:
    """Give merge the timeout of the action: titus gives it none, and its loops fail."""
    stock = genpy.ExecutionState.__init__

    def __init__(self: Any, options: Any, rand: Any, routine: str, parser: Any) -> None:  # noqa: N807
        stock(self, options, rand, "action" if routine == "merge" else routine, parser)

    genpy.ExecutionState.__init__ = __init__


@mends("titus.fcn")
def _deprecated(fcn: Any) -> None:
    """Load a document with functions of older PFA in silence: titus writes to stderr per call.

    They work as ever, and who reads the log of the process did not write the document.
    """
    fcn.LibFcn.deprecationWarning = fcn.Fcn.deprecationWarning


@mends("titus.genpy")
def _emit_by_name(genpy: Any) -> None:
    """Let ``{"fcn": "emit"}`` be given to a library function: titus's emit has no name."""

    def emit(self: Any, _state: Any, _scope: Any, _pos: Any, _types: Any, value: Any) -> Any:
        return self.engine.emit(value)

    genpy.titus.pfaast.EmitFcn.name = "emit"
    genpy.FakeEmitForExecution.__call__ = emit


@mends("titus.options")
def _options(options: Any) -> None:
    """Say which option has no right value, where titus lets a TypeError out."""
    stock = options.EngineOptions.__init__

    def __init__(self: Any, requested: Any, overrides: Any) -> None:  # noqa: N807
        for name, value in (requested or {}).items():
            if name == "timeout" and (
                isinstance(value, bool) or not isinstance(value, int | float)
            ):
                raise options.PFAInitializationException(f"{name} must be an integral number")
        stock(self, requested, overrides)

    options.EngineOptions.__init__ = __init__


@mends("titus.genpy")
def _log(genpy: Any) -> None:
    """Keep the namespace of a log line to its line: a newline in it forges another one."""
    stock = genpy.genericLog

    def genericLog(message: Any, namespace: Any) -> None:  # noqa: N802
        if namespace is not None and not namespace.isprintable():
            namespace = json.dumps(namespace)
        stock(message, namespace)

    genpy.genericLog = genericLog


@mends("titus.reader")
def _syntax_errors(reader: Any) -> None:
    """Say what is wrong with a document as a PFASyntaxException, wherever it is found.

    titus's reader has errors in its own error messages (a set as a key, a missing argument, an
    unset variable, an exception that is returned instead of raised), and lets base64 and number
    conversion speak for themselves. They come out as TypeError, NameError, ValueError and others.
    """
    stock_pairs = reader._readStringExpressionPairs
    stock_argument = reader._readArgument
    stock_param = reader._readParam

    def pairs(data: Any, dot: str, builder: Any) -> Any:
        read = stock_pairs(data, dot, builder)
        if isinstance(read, Exception):
            raise read
        return read

    def require(valid: Any, kind: str, name: Any, data: Any, dot: str) -> None:
        if isinstance(name, str) and not valid(name):
            where = reader.pos(dot, data.get("@"))
            raise reader.PFASyntaxException(f'"{name}" is not a valid {kind} name', where)

    def argument(data: Any, dot: str, builder: Any) -> Any:
        # one frame only: expressions may be nested as deeply as Python's stack lets them
        try:
            if isinstance(data, dict):
                for key in ("foreach", "forkey", "forval"):
                    require(reader.validSymbolName, "symbol", data.get(key), data, dot)
                require(reader.validFunctionName, "function", data.get("fcn"), data, dot)
            return stock_argument(data, dot, builder)
        except _MISTAKES as error:
            raise _syntax_error(reader, error, data, dot) from error

    def param(data: Any, dot: str, builder: Any) -> Any:
        for name in data if isinstance(data, dict) else ():
            if name != "@":
                require(reader.validSymbolName, "symbol", name, data, dot)
        return stock_param(data, dot, builder)

    stock_config = reader._readEngineConfig

    def engine_config(data: Any, *where: Any) -> Any:
        for key in ("cells", "fcns", "pools"):
            if isinstance(data, dict) and not isinstance(data.get(key, {}), dict):
                raise reader.PFASyntaxException(f"expected map of {key}", key)
        return stock_config(data, *where)

    reader._readEngineConfig = engine_config
    reader._readStringExpressionPairs = pairs
    reader._readArgument = argument
    reader._readParam = param
    for name in ("Base64", "CastCase", "Cell", "Double", "EngineConfig", "FcnDef", "Float", "Pool"):
        stock = getattr(reader, f"_read{name}")
        setattr(reader, f"_read{name}", _syntax_checked(reader, stock))


# what titus's reader raises by mistake
_MISTAKES = (TypeError, AttributeError, NameError, LookupError, ValueError, OverflowError)


def _syntax_checked(reader: Any, read: Any) -> Any:
    def checked(data: Any, *where: Any) -> Any:
        try:
            return read(data, *where)
        except _MISTAKES as error:
            dot = where[0] if isinstance(where[0], str) else ""
            raise _syntax_error(reader, error, data, dot) from error

    return checked


def _syntax_error(reader: Any, error: Exception, data: Any, dot: str) -> Any:
    is_object = isinstance(data, dict)
    at = data.get("@") if is_object else None
    kind = "malformed" if is_object or isinstance(error, ValueError) else "unexpected"
    found = reader._trunc(repr(data)[:100])
    place = reader.pos(dot, at) if dot or at else None
    return reader.PFASyntaxException(f"{kind} value {found}", place)


@mends("titus.pfaast")
def _references(pfaast: Any) -> None:
    """Refuse a reference to a function of several signatures, or of types that a call gives it.

    titus has the words for it, but fails on the way: of a name that it does not import, and of an
    exception that it does not expect.
    """
    to_type = pfaast.P.toType

    def known(pattern: Any) -> Any:
        try:
            return to_type(pattern)
        except Exception as error:
            raise pfaast.IncompatibleTypes from error

    pfaast.Sigs = load("titus.signature").Sigs
    pfaast.P.toType = known
