"""A fresh engine per call: the state of the document, without parsing or decoding it again."""

import copy
import json
import logging
import random
from collections.abc import Callable
from typing import Any

_LOG = logging.getLogger("pfa.log")
_LOG_LENGTH = 2000  # characters of one message
_LOG_COUNT = 100  # messages of one call

# The only library function that changes its arguments, which may be parts of a cell.
_CHANGES_ARGUMENTS = "model.reg.updateChi2"


class Source:
    """Makes engines that begin in the document's initial state.

    Made of one engine that is never run itself. What PFA code does to a cell makes a new value and
    leaves the old one as it was, so the initial values are shared; a pool's dict is the exception.
    Each engine belongs to one call, so that calls in several threads do not meet.
    """

    def __init__(self, engine: Any) -> None:
        """Take a just made titus engine."""
        self.engine = engine
        config = engine.config
        calls = set().union(*engine.callGraph.values())
        self._writes_pools = bool(engine.pools) and not calls.isdisjoint({"pool-to", "pool-del"})
        self._copies_deep = _CHANGES_ARGUMENTS in calls
        self._own_functions = bool(config.fcns) or config.method == "emit"
        self._seed = config.randseed

    def start(self, emit: Callable[[Any], None]) -> Any:
        """Make an engine in the initial state that hands what it emits to ``emit``."""
        base = self.engine
        engine = type(base)(
            self._cells(),
            self._pools(),
            base.config,
            copy.copy(base.options),
            _Log(),
            emit,
            getattr(base, "tally", None),
            0,
            base.rand if self._seed is None else random.Random(self._seed),  # noqa: S311
        )
        engine.f = base.f
        if self._own_functions:
            engine.f = dict(base.f)
            if "emit" in engine.f:
                engine.f["emit"] = type(base.f["emit"])(engine)
            engine.initialize()
        return engine

    def _cells(self) -> dict[str, Any]:
        if self._copies_deep:
            return {name: _cell(cell, copy.deepcopy) for name, cell in self.engine.cells.items()}
        return {name: _cell(cell, _same) for name, cell in self.engine.cells.items()}

    def _pools(self) -> dict[str, Any]:
        if self._copies_deep:
            return {name: _cell(pool, copy.deepcopy) for name, pool in self.engine.pools.items()}
        if self._writes_pools:
            return {name: _cell(pool, dict) for name, pool in self.engine.pools.items()}
        return dict(self.engine.pools)


def _same(value: Any) -> Any:
    return value


def _cell(cell: Any, duplicate: Callable[[Any], Any]) -> Any:
    """A new cell or pool with locks of its own."""
    return type(cell)(duplicate(cell.value), cell.shared, cell.rollback, cell.source)


class _Log:
    """PFA's ``log`` special form: to the logger ``pfa.log``, on one line, bounded."""

    def __init__(self) -> None:
        """Begin to count."""
        self.count = 0

    def __call__(self, values: list[Any], namespace: str | None) -> None:
        self.count += 1
        if self.count > _LOG_COUNT or not _LOG.isEnabledFor(logging.INFO):
            return
        text = " ".join(_bounded_json(value) for value in values)[:_LOG_LENGTH]
        prefix = "" if namespace is None else _bounded_json(namespace)[1:-1] + ": "
        _LOG.info("%s%s", prefix, text)
        if self.count == _LOG_COUNT:
            _LOG.info("the model logs no more in this call: %d messages", _LOG_COUNT)


def _bounded_json(value: Any) -> str:
    """The beginning of the value's JSON text; it is not written beyond the bound."""
    parts: list[str] = []
    length = 0
    for part in json.JSONEncoder(default=lambda _: None).iterencode(value):
        parts.append(part)
        length += len(part)
        if length > _LOG_LENGTH:
            break
    return "".join(parts)[:_LOG_LENGTH]
