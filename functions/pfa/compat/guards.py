"""Stop documents that read files, or that keep the loader busy for ever.

Each mend names what a hostile, or only unlucky, document could do to stock titus.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from pfa.compat.loader import mends

# One character of what follows fits one alternative only, so no text makes it try twice; titus's
# own pattern needs 8 s for "a(.bccccccccc)*8!". \Z, not $, which lets a newline pass at the end.
_SYMBOL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
_FUNCTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*\Z", re.ASCII)

MAX_FORMAT = 60  # characters of a format of ``pack``; "network unsigned long long" has 26
TOO_DEEP = "the document is nested too deeply to be read"


@mends("titus.pfaast")
def _names(pfaast: Any) -> None:
    """Check names in linear time, and without letting a newline pass at the end."""
    pfaast.validSymbolName = lambda name: _SYMBOL.match(name) is not None
    pfaast.validFunctionName = lambda name: _FUNCTION.match(name) is not None


@mends("titus.pfaast")
def _formats(pfaast: Any) -> None:
    """Refuse what cannot be a format of ``pack`` before patterns are tried on it.

    Twelve of titus's patterns begin with two runs of spaces, quadratic in their number: 100 kB of
    spaces take minutes. The error for an unknown format was itself a NameError.
    """
    formatter = pfaast.BinaryFormatter
    declare = formatter.formatToDeclare

    def checked_declare(value: Any, text: str, pos: str | None, output: bool) -> Any:
        try:
            if len(text) <= MAX_FORMAT:
                return declare(value, text, pos, output)
        except NameError:
            pass
        raise pfaast.PFASemanticException(f'"{text[:MAX_FORMAT]}" is not a binary format', pos)

    formatter.formatToDeclare = staticmethod(checked_declare)


@mends("titus.reader")
def _embedded_only(reader: Any) -> None:
    """Refuse cells and pools whose content is elsewhere: titus opens any path or URL in there."""
    read_cell, read_pool = reader._readCell, reader._readPool

    def refuse(data: Any, dot: str) -> None:
        if isinstance(data, dict) and data.get("source", "embedded") != "embedded":
            raise reader.PFASyntaxException(
                'the content of a cell or pool must be in the document ("source": "embedded")',
                reader.pos(dot, data.get("@")),
            )

    def embedded_cell(data: Any, dot: str, builder: Any) -> Any:
        refuse(data, dot)
        return read_cell(data, dot, builder)

    def embedded_pool(data: Any, dot: str, builder: Any) -> Any:
        refuse(data, dot)
        return read_pool(data, dot, builder)

    def no_file(*_args: Any, **_kwargs: Any) -> Any:
        raise reader.PFASyntaxException("a document may not open a file or URL", None)

    reader._readCell, reader._readPool = embedded_cell, embedded_pool
    # what the two would have used, should a way around them be found
    reader.open = reader.DataFileReader = no_file
    reader.urllib = None


_BARE_EXCEPT = {
    "titus.lib.spec": ("NChooseK", "LnBeta", "Erf", "Erfc", "LnGamma"),
    "titus.lib.model.reg": ("Residual", "Mahalanobis"),
    "titus.lib.stat.pfatest": ("Mahalanobis",),
}


@mends(*_BARE_EXCEPT)
def _let_interrupts_through(lib: Any) -> None:
    """Raise the interrupt of a deadline that a bare ``except`` turned into an error of titus."""
    for name in _BARE_EXCEPT[lib.__name__]:
        cls = getattr(lib, name)
        cls.__call__ = _interruptible(cls.__call__, lib.PFARuntimeException)


def _interruptible(stock: Callable[..., Any], error_class: type[Exception]) -> Any:
    def call(*args: Any) -> Any:
        try:
            return stock(*args)
        except error_class as error:
            cause = error.__context__
            if cause is None or isinstance(cause, Exception):
                raise
            raise cause from None

    return call


@mends("titus.genpy")
def _too_deep(genpy: Any) -> None:
    """Turn Python's own limits, met anywhere while loading, into an error that says what to do."""
    engine = genpy.PFAEngine

    def guarded(load: Callable[..., Any]) -> Any:
        @wraps(load)
        def guarded_load(*args: Any, **kwargs: Any) -> Any:
            try:
                return load(*args, **kwargs)
            except RecursionError:
                raise genpy.PFAInitializationException(TOO_DEEP) from None

        return staticmethod(guarded_load)

    engine.fromJson = guarded(engine.fromJson)
    engine.fromAst = guarded(engine.fromAst)


@mends("titus.pfaast")
def _all_calls(pfaast: Any) -> None:
    """Let the call graph know every call.

    Four special forms forget what is called in the expression that they begin with, so that a
    ``pool-to`` inside an ``attr`` was in no graph, and a document that changes its state looked
    like one that does not.
    """
    for form in (pfaast.AttrGet, pfaast.AttrTo, pfaast.PoolTo, pfaast.IfNotNull):
        form.walk = _with_calls(form.walk)


def _with_calls(stock: Callable[..., Any]) -> Any:
    def walk(self: Any, task: Any, *where: Any) -> Any:
        called: set[str] = set()

        def noting_task(context: Any, options: Any) -> Any:  # comes by for every inner expression
            called.update(getattr(context, "calls", ()))
            return task(context, options)

        context, result = stock(self, noting_task, *where)
        context.calls = context.calls | called
        return context, result

    return walk


_Graph = Mapping[str, Iterable[str]]


@mends("titus.genpy")
def _call_graph(genpy: Any) -> None:
    """Walk the call graph once per question: titus walks every path, 40 layers take 4**20."""
    engine = genpy.PFAEngine
    engine.calledBy = lambda self, name, exclude=None: called_by(self.callGraph, name, exclude)
    engine.callDepth = lambda self, name, exclude=None, startingDepth=0: call_depth(  # noqa: N803
        self.callGraph, name, exclude, startingDepth
    )
    changes = (genpy.CellTo.desc, genpy.PoolTo.desc, genpy.PoolDel.desc)

    def has_side_effects(self: Any, name: str) -> bool:
        # asked for every call in an inline function, so that it is worked out once per engine
        known = vars(self).get("_with_side_effects")
        if known is None:
            known = self._with_side_effects = callers(self.callGraph, changes)
        return name in known

    engine.hasSideEffects = has_side_effects


def called_by(graph: _Graph, name: str, exclude: Iterable[str] | None = None) -> set[str]:
    """Give what ``name`` calls, directly or not, without looking into what is in ``exclude``."""
    called: set[str] = set()
    done = set(exclude or ())
    todo = [name]
    while todo:
        caller = todo.pop()
        if caller in done or caller not in graph:
            continue
        done.add(caller)
        called.update(graph[caller])
        todo.extend(graph[caller])
    return called


def callers(graph: _Graph, names: Iterable[str]) -> set[str]:
    """Give all functions from which one of ``names`` is called, directly or not."""
    back: dict[str, list[str]] = {}
    for caller, callees in graph.items():
        for callee in callees:
            back.setdefault(callee, []).append(caller)
    found: set[str] = set()
    todo = list(names)
    while todo:
        for caller in back.get(todo.pop(), ()):
            if caller not in found:
                found.add(caller)
                todo.append(caller)
    return found


def call_depth(
    graph: _Graph, name: str, exclude: Iterable[str] | None = None, start: int = 0
) -> float:
    """Give the length of the longest chain of calls from ``name``, plus ``start``.

    It is infinite if a chain leads back to a function in it, or to one of ``exclude``.
    """
    forbidden = set(exclude or ())
    if name in forbidden:
        return float("inf")
    depth: dict[str, int] = {}
    open_: set[str] = set()
    todo = [name]
    while todo:
        caller = todo[-1]
        if caller in depth:
            todo.pop()
            continue
        callees = graph.get(caller, ())
        if caller not in open_:
            open_.add(caller)
            for callee in callees:
                if callee in open_ or callee in forbidden:
                    return float("inf")
                if callee not in depth:
                    todo.append(callee)
            continue
        # everything it calls is known by now
        depth[caller] = max((depth[callee] + 1 for callee in callees), default=0)
        open_.discard(caller)
        todo.pop()
    return start + depth[name]
