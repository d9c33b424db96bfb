"""Cells and pools."""

from typing import Any

from pfa.compat.loader import load
from pfa.compiler.code import CONSTANT, Code
from pfa.compiler.control import Control

_genpy = load("titus.genpy")


class State(Control):
    """Methods of the task for these forms."""

    def _cell_get(self, context: Any) -> Code:
        if context.cell not in self.constant_cells:
            base = Code(f"self.cells[{context.cell!r}].value")
            return self.get(base, context.path, (2004, 2005), "cell", context.pos)
        base = Code(self.cell_name(context.cell), kind=CONSTANT, cell=context.cell)
        if not context.path:
            return base
        steps = self.path(context.path)
        value = self.cell_at(context.cell, steps)
        if isinstance(value, bool | int | float | str):
            made = self.literal(value)
        else:
            made = self.get(base, context.path, (2004, 2005), "cell", context.pos)
        made.cell, made.steps = context.cell, steps
        return made

    def _cell_to(self, context: Any) -> Code:
        codes = [*self.path(context.path), self.update_function(context.to)]
        before, texts, depth = self.temporaries.in_order(codes)
        text = (
            f"self.cells[{context.cell!r}].update(state, None, [{', '.join(texts[:-1])}],"
            f" {texts[-1]}, 2006, 2007, 'cell-to', {context.pos!r})"
        )
        return Code(text, before, depth=depth + 2)

    def _pool_get(self, context: Any) -> Code:
        base = Code(f"self.pools[{context.pool!r}].value")
        return self.get(base, context.path, (2008, 2009), "pool", context.pos)

    def _pool_to(self, context: Any) -> Code:
        codes = [*self.path(context.path), self.update_function(context.to), context.init]
        before, texts, depth = self.temporaries.in_order(codes)
        text = (
            f"self.pools[{context.pool!r}].update(state, None, [{', '.join(texts[:-2])}],"
            f" {texts[-2]}, {texts[-1]}, 2010, 2011, 'pool-to', {context.pos!r})"
        )
        return Code(text, before, depth=depth + 2)

    def _pool_del(self, context: Any) -> Code:
        item: Code = context.dell
        return self.made(f"self.pooldel({context.pool!r}, {item.text})", [item])
