"""Tell what a task makes of a node of the syntax tree where in the document the node is.

titus's contexts, which a task is called with, know it of some forms only.
"""

from collections.abc import Callable
from typing import Any

from pfa.compat.loader import mends


@mends("titus.pfaast")
def _positions(pfaast: Any) -> None:
    classes: list[Any] = [each for each in vars(pfaast).values() if isinstance(each, type)]
    for form in classes:
        if issubclass(form, pfaast.Argument) and "walk" in vars(form):
            form.walk = _telling(form.walk)


def _telling(stock: Callable[..., Any]) -> Any:
    def walk(self: Any, task: Any, symbols: Any, functions: Any, options: Any, version: Any) -> Any:
        known = stock(self, task, symbols, functions, options, version)
        tell = getattr(known[1], "comes_from", None)
        if tell is not None:
            tell(self.pos)
        return known

    return walk
