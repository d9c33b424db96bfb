"""A scoring engine that asks both: the reference, and the compiled one, which cannot fall back.

Each call is made on both; their results, or their errors, and what state they leave must be the
same to the bit: values, their Python types, the order of keys.
"""

import copy
import json
import math
from typing import Any

from pfa import compat, compiler

# Functions of which the reference's answers are not the same in each process or on each processor:
# sums in the order of BLAS or of a Python set of strings, and keys in the latter. What documents
# that use them answer may differ that much.
NOT_REPRODUCIBLE = ("model.reg.linear", "la.dot")
CLOSE = 1e-12

# What says how deep Python's stack is, or how long something took, is not the same twice.
UNSTEADY = (RecursionError, MemoryError)


class Different(AssertionError):  # noqa: N818 - a verdict
    """The engines do not agree; ``document`` is the one that they differ on."""

    def __init__(self, message: str, document: Any) -> None:
        super().__init__(message[:2000])
        self.document = document


def same(a: Any, b: Any, close: bool = False) -> bool:
    """Tell whether two values are the same to the bit: 1 is not 1.0, -0.0 not 0.0; NaN is NaN.

    With ``close`` numbers may differ a little, and the order of keys does not matter.
    """
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        if close and not (math.isfinite(a) or math.isfinite(b)):
            return True  # a product beyond doubles is infinite, or not if BLAS adds it unrounded
        if math.isnan(a):
            return math.isnan(b)
        if close:
            return math.isclose(a, b, rel_tol=CLOSE, abs_tol=CLOSE)
        return bool(a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, dict):
        if close:
            return a.keys() == b.keys() and all(same(a[k], b[k], True) for k in a)
        return len(a) == len(b) and all(
            same(k, m) and same(v, w) for (k, v), (m, w) in zip(a.items(), b.items(), strict=True)
        )
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y, close) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def described(error: BaseException) -> dict[str, Any]:
    """Give what of an error must be the same."""
    if isinstance(error, UNSTEADY):
        return {"class": type(error).__name__}
    if "maximum recursion depth" in str(error):  # the Avro library puts it into its own error
        return {"class": "RecursionError"}
    about = {name: getattr(error, name, None) for name in ("message", "code", "pos", "fcnName")}
    return {"class": type(error), "text": str(error), **about}


def outcome(call: Any, *args: Any) -> tuple[str, Any]:
    """Give what a call comes to: "value" or "error", and which."""
    try:
        return "value", call(*args)
    except Exception as error:
        return "error", described(error)


class Shadow:
    """Both engines of a document; ``begin``, ``action``, ``merge`` and ``end`` compare.

    Raises Different, or the reference's error if both refuse the document.
    """

    def __init__(self, document: Any, options: Any = None, *, short_names: bool = False) -> None:
        """Make both; the parameters are those of pfa.compat.engine."""
        self.document = document
        self.close = any(name in json.dumps(document) for name in NOT_REPRODUCIBLE)
        makers = (compat.engine, compiler.compiled)
        made = []
        refused: list[Exception] = []
        for make in makers:
            given = copy.deepcopy(document)
            try:
                made.append(make(given, options, short_names=short_names))
            except Exception as error:
                refused.append(error)
        if refused:
            if made or not same(*map(described, refused)):
                raise Different(f"to load: {made or 'none'} {refused!r}", document) from refused[0]
            raise refused[0]
        self.engines = made
        self.emitted: list[list[Any]] = [[], []]
        self.logged: list[list[Any]] = [[], []]
        for engine, emitted, logged in zip(made, self.emitted, self.logged, strict=True):
            engine.emit = emitted.append
            engine.log = _Log(logged)
        self._seeded = made[0].config.randseed is not None
        self._compare_state("just made")

    def __getattr__(self, name: str) -> Any:
        """Give what calls a method of both engines."""

        def call(*args: Any) -> Any:
            kind, value = self.outcome(name, *args)
            if kind == "error":
                raise Failed(value)
            return value

        return call

    def outcome(self, name: str, *args: Any) -> tuple[str, Any]:
        """Call a method of both engines; give what it comes to, as the function above."""
        given = [copy.deepcopy(args) for _ in self.engines]
        reference, compiled = (
            outcome(getattr(engine, name), *of)
            for engine, of in zip(self.engines, given, strict=True)
        )
        if reference[0] == "error" and reference[1].get("class") is RuntimeError:
            # its way to say that it does not find a variable: set of two from different blocks
            raise TitusFault
        if not same(reference, compiled, self.close):
            raise Different(f"{name}{args}: {reference!r} is {compiled!r}", self.document)
        if not all(same(of, args) for of in given):
            raise Different(f"{name}{args} changes its argument: {given}", self.document)
        self._compare_state(f"after {name}{args}")
        return reference

    def _compare_state(self, when: str) -> None:
        reference, compiled = map(self._state, self.engines, self.emitted, self.logged)
        for name, of in reference.items():
            if not same(of, compiled[name], self.close):
                raise Different(f"{name} {when}: {of!r} is {compiled[name]!r}", self.document)

    def _state(self, engine: Any, emitted: list[Any], logged: list[Any]) -> dict[str, Any]:
        return {
            "cells": {name: cell.value for name, cell in engine.cells.items()},
            "pools": {name: pool.value for name, pool in engine.pools.items()},
            "tally": getattr(engine, "tally", None),
            "started": engine.actionsStarted,
            "finished": engine.actionsFinished,
            "emitted": emitted,
            "logged": logged,
            "random": engine.rand.getstate() if self._seeded else None,
        }


class TitusFault(Exception):  # noqa: N818 - a verdict
    """The reference fails where it should not; see docs/semantics.md."""


class Failed(Exception):  # noqa: N818 - what both engines raised
    """Both engines raise the error that this describes."""


class _Log:
    def __init__(self, lines: list[Any]) -> None:
        self.lines = lines

    def __call__(self, values: list[Any], namespace: str | None) -> None:
        self.lines.append((copy.deepcopy(values), namespace))
