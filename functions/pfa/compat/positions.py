"""Let a task know where in the document each node of the syntax tree is.

titus's contexts, which a task is called with, have the position of a few forms only. Here each has
it, as ``pos``, but those of the names of functions.
"""

from functools import partial
from typing import Any

from pfa.compat.loader import mends


@mends("titus.pfaast")
def _positions(pfaast: Any) -> None:
    for form in vars(pfaast).values():
        if isinstance(form, type) and issubclass(form, pfaast.Argument) and "Context" in vars(form):
            form.Context = _Context(form.Context)  # type: ignore[attr-defined]
    deletion = pfaast.PoolDel  # whose contexts are not made by the node
    stock = deletion.walk

    def walk(self: Any, task: Any, *where: Any) -> Any:
        def placing_task(context: Any, options: Any) -> Any:
            if type(context) is deletion.Context and not hasattr(context, "pos"):
                context.pos = self.pos
            return task(context, options)

        return stock(self, placing_task, *where)

    deletion.walk = walk


class _Context:
    """The class of a form's contexts; a node makes them with its position."""

    def __init__(self, of: Any) -> None:
        self._of = of

    def __get__(self, node: Any, _form: Any) -> Any:
        return self._of if node is None else partial(_made, self._of, node.pos)


def _made(of: Any, pos: str | None, *parts: Any) -> Any:
    context = of(*parts)
    context.pos = pos
    return context
