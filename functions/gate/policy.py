"""What a document does besides computing: randomness, side effects, state, recursion, loops.

It is read from the call graph that the engine's type checker made: a name in a literal or a text is
no call, a function that is handed over ({"fcn": "u.f"}) or called by an enum's symbol is one.

GATE_REFUSE lists what is refused, else it is only reported:

randomness    rand.*, a.shuffle, model.cluster.randomSeeds; with a "randseed" it is the same for all
              calls, but refused as well
side-effects  log
state         what changes a cell or a pool
recursion     functions that call themselves, directly or not
loops         while, do ... until, for: nothing says that they end
anything else is the beginning of a function's name: "rand.uuid", "model.neural.", "u.debug"
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

Graph = Mapping[str, Collection[str]]  # function, or "(action)" -> what is called in it

KINDS = ("randomness", "side-effects", "state", "recursion", "loops")
_RANDOM = ("a.shuffle", "model.cluster.randomSeeds")
_STATE = ("cell-to", "pool-to", "pool-del")
_LOOPS = ("while", "do-until", "for")
_SHOWN = 5  # functions in one sentence


class Found(NamedTuple):
    """One thing that a document does: in words, and the words of GATE_REFUSE that refuse it."""

    words: str
    refused: tuple[str, ...]


def is_random(graph: Graph) -> bool:
    """Say whether the document draws random numbers."""
    return any(_draws(called) for calls in graph.values() for called in calls)


def found(graph: Graph, seeded: bool, refuse: Collection[str]) -> list[Found]:
    """Give what the document does; `seeded`: it has a "randseed"; `refuse`: see the module."""
    return [Found(words, refused) for words, refused in _found(graph, seeded, refuse)]


def _found(
    graph: Graph, seeded: bool, refuse: Collection[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    def refusing(kind: str) -> tuple[str, ...]:
        return (kind,) if kind in refuse else ()

    if drawn := _where(graph, lambda called: _draws(called)):
        seed = (
            "from its randseed, the same in each call"
            if seeded
            else 'without a "randseed": the same record gets other answers'
        )
        yield f"draws random numbers {seed} ({drawn})", refusing("randomness")
    if logged := _where(graph, lambda called: called == "log"):
        yield f"writes to the log ({logged}), records perhaps", refusing("side-effects")
    if changed := _where(graph, lambda called: called in _STATE):
        words = f"changes cells or pools ({changed}), which each call begins anew"
        yield words, refusing("state")
    if circle := recursive(graph):
        words = f"has functions that call themselves ({_listed(circle)})"
        yield words, refusing("recursion")
    if looped := _where(graph, lambda called: called in _LOOPS):
        yield f"has loops without a bound ({looped})", refusing("loops")
    for beginning in refuse:
        if beginning in KINDS:
            continue

        def begins(called: str, beginning: str = beginning) -> bool:
            return called.startswith(beginning)

        if used := _where(graph, begins):
            yield f"calls {used}", (beginning,)


def _draws(called: str) -> bool:
    return called.startswith("rand.") or called in _RANDOM


def _where(graph: Graph, wanted: Callable[[str], bool]) -> str:
    """Say what is called that is wanted, and where; "" if nothing is."""
    places = [
        f"{called} in {caller.strip('()') if caller.startswith('(') else caller}"
        for caller in sorted(graph)
        for called in sorted(graph[caller])
        if wanted(called)
    ]
    return _listed(places)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def recursive(graph: Graph) -> list[str]:
    """Give the functions from which a chain of calls leads back to themselves, sorted."""
    # Tarjan's strongly connected components (1972), without recursion: a chain may be long.
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    circles: set[str] = set()
    for root in graph:
        todo = [] if root in index else [(root, iter(graph[root]))]
        while todo:
            name, callees = todo[-1]
            if name not in index:
                index[name] = low[name] = len(index)
                stack.append(name)
                on_stack.add(name)
            for callee in callees:
                if callee == name:
                    circles.add(name)
                elif callee in on_stack:
                    low[name] = min(low[name], index[callee])
                elif callee in graph and callee not in index:
                    todo.append((callee, iter(graph[callee])))
                    break
            else:
                todo.pop()
                if todo:
                    low[todo[-1][0]] = min(low[todo[-1][0]], low[name])
                if low[name] == index[name]:
                    circle = {stack.pop()}
                    while name not in circle:
                        circle.add(stack.pop())
                    on_stack -= circle
                    if len(circle) > 1:
                        circles |= circle
    return sorted(circles)
