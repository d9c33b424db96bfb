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


class Source:
    """Makes engines that begin in the document's initial state.

    What PFA code does to a cell makes a new value and leaves the old one as it was, so the initial
    values are shared; a pool's dict is the exception: 0.1 ms of copying for 10,000 items. Each
    engine belongs to one call, so that calls in several threads do not meet.

    The engine that it is made of is never run, and is emptied: other objects hold it, in cycles,
    and with it the document's content would stay until the garbage collector has walked it all.
    """

    def __init__(self, engine: Any) -> None:
        """Take a just made titus engine, and what is in it."""
        config = engine.config
        self._constant = engine.constant_cells  # which may be shared as they are
        self._own_functions = bool(config.fcns) or config.method == "emit"
        self.kind = type(engine)
        self._config, self._options = config, engine.options
        self._cells, self._pools = engine.cells, engine.pools
        self._tally = getattr(engine, "tally", None)
        self._rand = engine.rand
        self._emit = type(engine.f["emit"]) if "emit" in engine.f else None
        self._library = engine.f
        for name in ("emit", *(f"u.{name}" for name in config.fcns)):
            self._library.pop(name, None)
        vars(engine).clear()

    def start(self, emit: Callable[[Any], None]) -> Any:
        """Make an engine in the initial state that hands what it emits to ``emit``.

        The caller sets its ``f`` to None after use: its functions hold it, and it them.
        """
        seed = self._config.randseed
        engine = self.kind(
            _copy(self._cells, _same, self._constant),
            _copy(self._pools, dict, frozenset()),
            self._config,
            copy.copy(self._options),
            _Log(),
            emit,
            self._tally,
            0,
            self._rand if seed is None else random.Random(seed),  # noqa: S311
        )
        engine.f = self._library
        if self._own_functions:
            engine.f = dict(self._library)
            if self._emit is not None:
                engine.f["emit"] = self._emit(engine)
            engine.initialize()
        return engine


def _copy(
    items: dict[str, Any], duplicate: Callable[[Any], Any], constant: frozenset[str]
) -> dict[str, Any]:
    """Copy cells or pools, each with locks of its own; not what is constant."""
    return {
        name: item
        if name in constant
        else type(item)(duplicate(item.value), item.shared, item.rollback, item.source)
        for name, item in items.items()
    }


def _same(value: Any) -> Any:
    return value


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
