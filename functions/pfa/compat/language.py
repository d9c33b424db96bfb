"""Faults of titus in the language itself: special forms, cells, schemas and literals."""

from typing import Any

from pfa.compat.loader import mends


@mends("titus.util")
def _case_classes(util: Any) -> None:
    """Build the classes of syntax-tree nodes from closures.

    titus writes each class's methods as text and compiles it, at every import: 50 times, 31 of the
    180 ms. The closures do the same.
    """
    util.case = case


def case(cls: Any) -> Any:
    """Make a class whose ``__init__`` parameters are fields, shown by repr and compared by ==."""
    init = cls.__init__
    parameters: tuple[str, ...] = init.__code__.co_varnames[1 : init.__code__.co_argcount]
    fields = tuple(name for name in parameters if name != "pos")
    takes_pos = len(fields) < len(parameters)
    names = (*fields, "pos") if takes_pos else fields

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        values = dict(zip(names, args, strict=False))
        if kwargs:
            values.update(kwargs)
        if takes_pos:
            values.setdefault("pos", None)
        if len(args) > len(names) or len(values) != len(names):
            raise TypeError(f"{cls.__name__} takes {', '.join(names)}")
        self.__dict__.update(values)
        if takes_pos:
            values["pos"] = None
        self._init(**values)

    def __repr__(self: Any) -> str:  # noqa: N807
        return f"{cls.__name__}({', '.join(repr(getattr(self, name)) for name in fields)})"

    def __eq__(self: Any, other: Any) -> bool:  # noqa: N807
        return isinstance(other, cls) and all(
            getattr(self, name) == getattr(other, name) for name in fields
        )

    cls._init = init
    cls.__init__ = __init__
    cls.__repr__ = getattr(cls, "toString", __repr__)
    cls.__eq__ = getattr(cls, "equals", __eq__)
    return cls
