"""The compiling engine: a PFA document to Python functions, with titus2's answers.

titus2 parses and checks the document (pfa.compat); task.py turns its typed syntax tree into Python
functions. What cannot be compiled is left to titus2's own engine, the reference.
"""

from typing import Any


def engine(
    document: dict[str, Any] | str,
    options: dict[str, Any] | None = None,
    *,
    short_names: bool = False,
    marked: bool = True,
) -> Any:
    """Make a compiled scoring engine of a PFA document; its parameters are compat.engine's.

    And ``marked``: false if it is known that no key in the document is "@".

    It is a titus.genpy.PFAEngine with the same attributes and methods. ``fallback`` says why it is
    titus2's own engine, and is None if it is not.

    Raises what compat.engine raises.
    """
    try:
        made = compiled(document, options, short_names=short_names, marked=marked)
        made.fallback = None
    except MemoryError:
        raise
    except Exception as error:
        made = reference(document, options, short_names=short_names)
        made.fallback = f"{type(error).__name__}: {error}"
    return made


def reference(
    document: dict[str, Any] | str,
    options: dict[str, Any] | None = None,
    *,
    short_names: bool = False,
    marked: bool = True,
) -> Any:
    """Make titus2's own engine, in the form of ``engine``'s."""
    from pfa import compat  # not at the top: parts of this package work without titus

    del marked  # it looks itself
    made = compat.engine(document, options, short_names=short_names)
    made.constant_cells = frozenset()
    made.cell_keys = {}
    made.fallback = "not asked for"
    return made


def compiled(
    document: dict[str, Any] | str,
    options: dict[str, Any] | None = None,
    *,
    short_names: bool = False,
    marked: bool = True,
) -> Any:
    """Make a compiled scoring engine, or raise whatever stands against it."""
    from pfa.compiler.build import build

    return build(document, options, short_names, marked)
