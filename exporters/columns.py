"""The training columns: their names and types, and rows as JSON records.

Avro takes only letters, digits and underscores in the name of a field, and no digit first. In other
names each character that Avro refuses becomes an underscore, a name that begins with a digit gets
one before it, and of names that become the same the later ones get ``_2``, ``_3`` and so on. A
document whose columns had to be renamed takes records with the original names.
"""

import math
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from exporters.errors import ExportError

_KINDS = {"f": "double", "i": "long", "u": "long", "b": "boolean"}  # of numpy's types


@dataclass(frozen=True)
class Column:
    """A column of the training data: its own name, its field in Avro, and its Avro type."""

    name: str
    field: str
    type: str  # double, long, boolean or string
    nullable: bool


def avro_names(names: Sequence[str]) -> list[str]:
    """Return names that Avro takes, each another one; see the module's docstring for the rule."""
    plain = [re.sub(r"[^A-Za-z0-9_]", "_", name) for name in names]
    return distinct([f"_{each}" if not each or each[0].isdigit() else each for each in plain])


def distinct(names: Sequence[str], taken: Set[str] = frozenset()) -> list[str]:
    """Return the names, each that is there already with ``_2``, ``_3`` and so on."""
    found: dict[str, None] = {}
    for name in names:
        unique, number = name, 2
        while unique in found or unique in taken:
            unique, number = f"{name}_{number}", number + 1
        found[unique] = None
    return list(found)


def columns_of(data: Any) -> list[Column]:
    """Return the columns of a DataFrame, or of a two-dimensional array: ``x0``, ``x1`` and so on.

    A list of texts is one column, by its own name or ``text``.

    Raises ExportError when a column holds something else than numbers, booleans or text.
    """
    names = names_of(data)
    return [
        Column(name, field, *_type_of(name, values))
        for name, field, values in zip(names, avro_names(names), _values(data), strict=True)
    ]


def names_of(data: Any) -> list[str]:
    """Return the names of the columns."""
    if hasattr(data, "columns"):
        if not hasattr(data, "iloc"):
            raise ExportError(f"X is a DataFrame of {type(data).__module__}: give X.to_pandas().")
        names = [str(name) for name in data.columns]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ExportError(f"X has two columns {twice!r}: give each a name of its own.")
        return names
    if _is_texts(data):
        return [str(getattr(data, "name", None) or "text")]
    if hasattr(data, "toarray"):
        raise ExportError("X is sparse: give X.toarray(), or a DataFrame.")
    shape = np.shape(data)
    if len(shape) != 2:
        raise ExportError("X must have two dimensions: rows and columns.")
    return [f"x{i}" for i in range(shape[1])]


def _values(data: Any) -> Iterator[np.ndarray]:
    if hasattr(data, "columns"):
        for i in range(len(data.columns)):
            column = data.iloc[:, i]
            # pandas' own types have missing values that numpy's do not have
            own = not isinstance(column.dtype, np.dtype)
            yield np.asarray(column, dtype=object if own else None)
    elif _is_texts(data):
        yield np.asarray(data, dtype=object)
    else:
        yield from np.asarray(data).T


def _is_texts(data: Any) -> bool:
    return np.ndim(data) == 1 and all(isinstance(text, str) for text in data)


def _type_of(name: str, values: np.ndarray) -> tuple[str, bool]:
    """Return the Avro type of a column's values, and whether some are missing."""
    kind = _KINDS.get(values.dtype.kind)
    if kind is not None:
        return kind, kind == "double" and bool(np.isnan(values).any())
    known = [value for value in values.tolist() if not is_missing(value)]
    nullable = len(known) < len(values)
    for wanted, kinds in (
        ("boolean", (bool, np.bool)),
        ("long", (int, np.integer)),
        ("double", (int, float, np.integer, np.floating)),
        ("string", str),
    ):
        # dates of numpy's are ints in a list
        if known and values.dtype.kind not in "mM" and all(isinstance(v, kinds) for v in known):
            return wanted, nullable
    raise ExportError(
        f"The column {name!r} holds neither numbers, nor booleans, nor text: leave it out of X,"
        " if the model does not read it."
    )


def is_missing(value: Any) -> bool:
    """Tell whether a value stands for a missing one: None, NaN, pandas' NA and NaT."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and math.isnan(value)


def records_of(data: Any, columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Return the rows as records, the way a request has them: by the columns' own names."""
    listed = [values.tolist() for values in _values(data)]
    made = {"double": float, "long": int, "boolean": bool, "string": str}
    names = [column.name for column in columns]
    converted = [
        [None if is_missing(value) else made[column.type](value) for value in values]
        for column, values in zip(columns, listed, strict=True)
    ]
    return [dict(zip(names, row, strict=True)) for row in zip(*converted, strict=True)]
