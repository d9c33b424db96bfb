"""Avro types for tests: from JSON, and random ones with values that fit them."""

from typing import Any

from avro.schema import Names, SchemaFromJSONData
from hypothesis import strategies as st

from pfa.schema import Type, from_avro


def avro(json: Any) -> Type:
    """The node of a type given as Avro JSON."""
    return from_avro(SchemaFromJSONData(json, Names()))


PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "string", "bytes")
TEXT = st.text(max_size=6)
_FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
_VALUES = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1) | st.sampled_from([0.0, 1.0, -7.0]),
    "long": st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0.0, 1.0, 2.0**53 - 1]),
    "float": _FLOAT32 | st.integers(-(2**24), 2**24),
    "double": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70),
    "string": TEXT,
    "bytes": st.text(st.characters(max_codepoint=255), max_size=6),
}


@st.composite
def types(draw: st.DrawFn, depth: int = 2, optional: bool = False) -> Any:
    """A random Avro type as JSON; ``optional``: its unions are null and one other."""
    names = iter(f"T{i}" for i in range(1000))

    def named(kind: str, level: int) -> Any:
        name = next(names)
        space = draw(st.sampled_from(["", "com.x"]))
        head = {"type": kind, "name": name, **({"namespace": space} if space else {})}
        if kind == "enum":
            return head | {"symbols": draw(st.sampled_from([["A"], ["A", "B"], ["x", "y", "z"]]))}
        if kind == "fixed":
            return head | {"size": draw(st.integers(0, 3))}
        fields = draw(st.lists(st.sampled_from("abcdefg"), max_size=4, unique=True))
        head["fields"] = [{"name": key, "type": make(level - 1)} for key in fields]
        if not space and draw(st.booleans()):
            head["fields"].append({"name": "again", "type": ["null", name]})
        return head

    def make(level: int, in_union: bool = False) -> Any:
        kinds = [*PRIMITIVES, "enum", "fixed"]
        if level > 0:
            kinds += ["array", "map", "record", "record"] + ["union"] * (2 * (not in_union))
        kind = draw(st.sampled_from(kinds))
        if kind == "array":
            return {"type": "array", "items": make(level - 1)}
        if kind == "map":
            return {"type": "map", "values": make(level - 1)}
        if kind == "union":
            return union(level)
        return named(kind, level) if kind in ("enum", "fixed", "record") else kind

    def union(level: int) -> Any:
        branches: dict[str, Any] = {"null": "null"} if optional else {}
        for _ in range(1 if optional else draw(st.integers(1, 4))):
            made = make(level - 1, in_union=True)
            kind = made if isinstance(made, str) else made.get("name", made["type"])
            branches.setdefault(kind, made)
        return list(branches.values())

    return make(depth)


@st.composite
def values(draw: st.DrawFn, node: Type, depth: int = 6, tagged: bool = False) -> Any:
    """A JSON value of a type; union values have tags always (``tagged``) or now and then."""
    if node.kind in _VALUES:
        return draw(_VALUES[node.kind])
    if node.kind == "enum":
        return draw(st.sampled_from(node.symbols))
    if node.kind == "fixed":
        return draw(
            st.text(st.characters(max_codepoint=255), min_size=node.size, max_size=node.size)
        )
    if node.kind in ("array", "map"):
        assert node.items is not None
        size = draw(st.integers(0, 3 if depth > 0 else 0))
        items = [draw(values(node.items, depth - 1, tagged)) for _ in range(size)]
        if node.kind == "array":
            return items
        keys = draw(
            st.lists(
                TEXT | st.sampled_from(["map", "A", "T0", "null"]),
                min_size=size,
                max_size=size,
                unique=True,
            )
        )
        return dict(zip(keys, items, strict=True))
    if node.kind == "record":
        made = {f.name: draw(values(f.type, depth - 1, tagged)) for f in node.fields}
        return dict(draw(st.permutations(list(made.items()))))
    branches = node.branches
    if depth <= 0 and any(branch.kind == "null" for branch in branches):
        return None
    branch = draw(st.sampled_from(branches))
    value = draw(values(branch, depth - 1, tagged))
    if branch.kind == "null":
        return None
    if tagged or draw(st.booleans()):
        return {draw(st.sampled_from([branch.short_name, branch.tag])): value}
    return value


def json_values() -> st.SearchStrategy[Any]:
    """Any JSON value, as json.loads gives it: NaN and huge numbers too."""
    leaves = (
        st.none()
        | st.booleans()
        | st.integers(-(2**80), 2**80)
        | st.sampled_from([10**400, 2**31, -(2**31) - 1, 2**63, "\ud800", "nan", "1", 1e39, 1e17])
        | st.floats()
        | st.text(max_size=4)
    )
    keys = st.sampled_from(["a", "b", "double", "map", "T0", "com.x.T1", "string", "null"]) | TEXT
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=8,
    )
