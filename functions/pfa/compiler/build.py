"""A document to an engine: titus's reader and type checker, our task, titus's engine class."""

from typing import Any

from pfa.compat import cells
from pfa.compat.loader import load
from pfa.compiler.task import Lowering

_genpy = load("titus.genpy")
_reader = load("titus.reader")


def build(
    document: dict[str, Any] | str, options: dict[str, Any] | None, short_names: bool, marked: bool
) -> Any:
    """Make a compiled scoring engine; see ``engine``."""
    token = cells.without_marks.set(not marked)
    try:
        config = _reader.jsonToAst(document)
    finally:
        cells.without_marks.reset(token)
    lowering = Lowering(config, short_names)
    (made,) = _genpy.PFAEngine.fromAst(config, options, style=lowering)
    made.constant_cells = frozenset(lowering.constant_cells)
    made.cell_keys = lowering.cell_keys
    program = type(made).program
    state, options, rand, parser = _genpy.ExecutionState, made.options, made.rand, made.parser
    program.namespace["new_state"] = lambda: state(options, rand, "action", parser)
    program.has_limit = made.options.timeout_action > 0
    for cell, name in lowering.read_cells.items():
        if program.reads(name):
            program.namespace[name] = made.cells[cell].value
    return made
