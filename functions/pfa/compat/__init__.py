"""titus2 1.2.0 made right on today's Python: the only package that imports titus.

Importing it loads titus with every mend in place (see loader.py); ``import titus`` anywhere in
the process then gives the mended modules. Nothing outside titus is changed.
"""

from typing import Any

# Each of these marks, with @mends, what it mends in which titus module; none of it runs before
# titus is loaded below. A file is imported here once, or its mends do not happen.
from pfa.compat import (  # noqa: F401
    avro_types,
    binary,
    cells,
    guards,
    language,
    library,
    limits,
    linear,
    numeric,
    patterns,
    positions,
    producer,
    quick,
    sandbox,
    tags,
)
from pfa.compat.loader import load

__all__ = ["engine"]

_genpy = load("titus.genpy")


def engine(
    document: dict[str, Any] | str,
    options: dict[str, Any] | None = None,
    *,
    short_names: bool = False,
) -> Any:
    """Make a scoring engine (titus.genpy.PFAEngine) of a PFA document.

    ``document`` is the document as JSON values or as JSON text; ``options`` are PFA engine options
    that override the document's, such as ``{"timeout": 1000}`` in milliseconds; ``short_names``
    has ``ifnotnull`` take a record with a namespace out of a union, where Titus fails.

    Raises titus's own errors (titus.errors.PFAException and others) for a bad document.
    """
    style = tags.SHORT_NAMES if short_names else tags.TAGGED
    (made,) = _genpy.PFAEngine.fromJson(document, options=options, style=style)
    return made
