"""How functions that a document gives to a library function are written."""

from typing import Any

from pfa.specialise import Site


def names(site: Site, index: int, *hints: str) -> tuple[str, ...]:
    """Return names for the parameters of the function that is an argument."""
    own = tuple(getattr(site.function(index), "params", ()))
    return own if len(own) == len(hints) and len(set(own)) == len(own) else hints


def applied(site: Site, index: int, *args: str) -> str:
    """Return the value of a function for these arguments: its body, or a call of it."""
    given = site.function(index)
    return given.inline(*args) or f"{given.name}({', '.join(args)})"


def called(site: Site, index: int) -> str:
    """Return the name of a function, to be called with positional arguments."""
    return site.function(index).name


def only_tag(union: Any) -> str | None:
    """Return the name of the one branch of a union that is not null; None if there are several."""
    branches = [each.name for each in getattr(union, "types", ()) if each.name != "null"]
    return branches[0] if len(branches) == 1 else None


def is_deep(avro_type: Any, levels: int = 1) -> bool:
    """Tell whether there are values in values in a value: a small one may be endless to compare.

    Then titus's function compares them, which counts them first (see pfa.compat.limits).
    """
    parts = [
        *getattr(avro_type, "types", ()),
        *(field.avroType for field in getattr(avro_type, "fields", ())),
        *(getattr(avro_type, name) for name in ("items", "values") if hasattr(avro_type, name)),
    ]
    return bool(parts) and (levels < 1 or any(is_deep(part, levels - 1) for part in parts))
