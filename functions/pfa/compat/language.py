"""Faults of titus in the language itself: special forms, cells, schemas and literals."""

import json
from contextlib import nullcontext
from typing import Any

from pfa.compat.loader import mends


@mends("titus.util")
def _case_classes(util: Any) -> None:
    """Build the classes of syntax-tree nodes from closures.

    titus writes each class's methods as text and compiles it, at every import: 50 times, 31 of the
    180 ms. The closures do the same.
    """
    util.case = case


def case(cls: Any) -> Any:
    """Make a class whose ``__init__`` parameters are fields, shown by repr and compared by ==."""
    init = cls.__init__
    parameters: tuple[str, ...] = init.__code__.co_varnames[1 : init.__code__.co_argcount]
    fields = tuple(name for name in parameters if name != "pos")
    takes_pos = len(fields) < len(parameters)
    names = (*fields, "pos") if takes_pos else fields

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        values = dict(zip(names, args, strict=False))
        if kwargs:
            values.update(kwargs)
        if takes_pos:
            values.setdefault("pos", None)
        if len(args) > len(names) or len(values) != len(names):
            raise TypeError(f"{cls.__name__} takes {', '.join(names)}")
        self.__dict__.update(values)
        if takes_pos:
            values["pos"] = None
        self._init(**values)

    def __repr__(self: Any) -> str:  # noqa: N807
        return f"{cls.__name__}({', '.join(repr(getattr(self, name)) for name in fields)})"

    def __eq__(self: Any, other: Any) -> bool:  # noqa: N807
        return isinstance(other, cls) and all(
            getattr(self, name) == getattr(other, name) for name in fields
        )

    cls._init = init
    cls.__init__ = __init__
    cls.__repr__ = getattr(cls, "toString", __repr__)
    cls.__eq__ = getattr(cls, "equals", __eq__)
    return cls


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
    exception that is returned instead of raised), reads attributes of what it then finds to be
    of another type, and lets base64 and number conversion speak for themselves. They come out as
    TypeError, AttributeError, ValueError or KeyError.
    """
    stock_pairs = reader._readStringExpressionPairs

    def read_pairs(data: Any, dot: str, builder: Any) -> Any:
        pairs = stock_pairs(data, dot, builder)
        if isinstance(pairs, Exception):
            raise pairs
        return pairs

    reader._readStringExpressionPairs = read_pairs
    for name in (
        "_readArgument",
        "_readBase64",
        "_readCastCase",
        "_readCell",
        "_readDouble",
        "_readEngineConfig",
        "_readFcnDef",
        "_readFloat",
        "_readParamTypePair",
        "_readPool",
    ):
        if hasattr(reader, name):
            setattr(reader, name, _syntax_checked(reader, getattr(reader, name)))


def _syntax_checked(reader: Any, read: Any) -> Any:
    def checked(data: Any, *where: Any) -> Any:
        try:
            return read(data, *where)
        except (TypeError, AttributeError, ValueError, KeyError, OverflowError) as error:
            dot = where[0] if where and isinstance(where[0], str) else ""
            at = data.get("@") if isinstance(data, dict) else None
            raise reader.PFASyntaxException(
                f"malformed {reader._trunc(repr(data))}", reader.pos(dot, at)
            ) from error

    return checked
