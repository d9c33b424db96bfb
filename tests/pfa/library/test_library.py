"""Every function that is written into the generated code, against titus's own."""

import math
import random
import struct
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from pfa.compat import limits
from pfa.specialise import INLINE, find
from tests.pfa.fake_site import FakeSite

NAN, INF = math.nan, math.inf
ENUM = {"type": "enum", "name": "E", "symbols": ["zeta", "alpha", "mid"]}
FIXED = {"type": "fixed", "name": "F", "size": 2}
RECORD = {
    "type": "record",
    "name": "R",
    "fields": [
        {"name": "x", "type": "double", "order": "descending"},
        {"name": "skip", "type": "int", "order": "ignore"},
        {"name": "e", "type": ENUM},
    ],
}
UNION = ["null", "double"]

INTS = [0, 1, -1, 2, 3, -7, 46341, 65536, 2147483647, -2147483648, 2147483648, -2147483649]
LONGS = [*INTS, 3037000500, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**63, -(2**63) - 1]
DOUBLES = [
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.49999999999999994, 1e-320, 709.0, 709.9),
    *(-745.2, 1e16, 1e160, -1e200, 1.7e308, 2147483647.4, 2147483647.5, -2147483648.5, 9.3e18),
    *(-9223372036854775808.0, NAN, INF, -INF, 0, 1, -2, 3, 2**53 + 1, 2**62 + 1),
]
STRINGS = ["", "a", "b", "ab", "ba", "aab", "ß", "é", "Z", "\U0001f600", " a ", "'", "\\"]


def value(schema: Any, rng: random.Random) -> Any:
    """Make a value, often an odd one; what is typed double may be an int."""
    if isinstance(schema, list):
        branch = rng.choice(schema)
        return None if branch == "null" else {branch: value(branch, rng)}
    if isinstance(schema, str):
        pool = {"int": INTS, "long": LONGS, "double": DOUBLES, "float": DOUBLES}.get(schema)
        if pool is not None:
            small: list[Any] = [0, 1, 2, 3] if schema in ("int", "long") else [0.0, -0.0, 1.5, 2.0]
            return rng.choice(rng.choice([pool, small]))
        return rng.choice([True, False] if schema == "boolean" else STRINGS)
    kind = schema["type"]
    if kind == "array":
        return [value(schema["items"], rng) for _ in range(rng.choice([0, 1, 2, 3, 6]))]
    if kind == "map":
        keys = rng.sample(["a", "b", "c", "d", "e"], rng.choice([0, 1, 2, 3, 5]))
        return {key: value(schema["values"], rng) for key in keys}
    if kind == "record":
        return {field["name"]: value(field["type"], rng) for field in schema["fields"]}
    return rng.choice(schema["symbols"]) if kind == "enum" else rng.choice(["ab", "ba", "zz"])


def exact(result: Any) -> Any:
    """Give what two results must have in common, to the bit and in the order of keys."""
    if isinstance(result, float):
        return "nan" if result != result else struct.pack(">d", result)
    if isinstance(result, dict):
        return [dict, *((key, exact(x)) for key, x in result.items())]
    if isinstance(result, list | tuple):
        return [list, *map(exact, result)]
    return type(result), result


def outcome(function: Callable[..., Any], args: list[Any]) -> Any:
    try:
        return exact(function(*args))
    except Exception as error:
        return type(error).__name__, str(error), getattr(error, "code", None)


def array(items: Any) -> Any:
    return {"type": "array", "items": items}


def of_map(values: Any) -> Any:
    return {"type": "map", "values": values}


def same(x: Any) -> Any:
    return x


def check(
    name: str,
    schemas: list[Any],
    ret: Any,
    make: Callable[[random.Random], list[Any]] | None = None,
    times: int = 150,
    **more: Any,
) -> None:
    rng = random.Random(f"{name} {schemas}")
    wanted = make or (lambda rng: [value(schema, rng) for schema in schemas])
    for form in ("{}", "same({})", "first", "last"):
        texts = [form.format(f"x{i}") for i in range(len(schemas))]
        if form in ("first", "last"):
            bare = 0 if form == "first" else len(texts) - 1
            texts = [f"x{i}" if i == bare else f"same(x{i})" for i in range(len(texts))]
        site = FakeSite(name, schemas, ret, args=texts, **more)
        site.names["same"] = same
        function = site.specialised()
        assert function is not None, name
        for _ in range(times):
            args = wanted(rng)
            args += [function_ for _, function_ in sorted(site.functions.items())]
            got, due = outcome(function, args), outcome(site.stock, args)
            assert got == due, (name, schemas, texts, args, got, due)


def check_constant(name: str, schema: Any, ret: Any, other: Any = None) -> None:
    """Compare a function of two where one is known beforehand."""
    rng = random.Random(name)
    other = other or schema
    for position in (0, 1):
        schemas = [schema, other]
        for known in {repr(value(schemas[position], rng)) for _ in range(60)}:
            if "nan" in known or "inf" in known:
                continue
            constant = eval(known)
            texts = ["x0", "x1"]
            texts[position] = known
            for form in ("{}", "same({})"):
                texts[1 - position] = form.format(f"x{1 - position}")
                site = FakeSite(name, schemas, ret, known={position: constant}, args=list(texts))
                site.names["same"] = same
                function = site.specialised()
                assert function is not None
                for _ in range(30):
                    args = [value(each, rng) for each in schemas]
                    args[position] = constant
                    got, due = outcome(function, args), outcome(site.stock, args)
                    assert got == due, (name, texts, args, got, due)


NUMBERS = ["int", "long", "float", "double"]


@pytest.mark.parametrize("type_", NUMBERS)
@pytest.mark.parametrize("name", ["+", "-", "*", "%", "%%", "**", "m.copysign"])
def test_arithmetic(name: str, type_: str) -> None:
    check(name, [type_, type_], type_)
    check_constant(name, type_, type_)


@pytest.mark.parametrize("type_", NUMBERS)
@pytest.mark.parametrize("name", ["u-", "m.abs"])
def test_arithmetic_of_one(name: str, type_: str) -> None:
    check(name, [type_], type_)


def test_division() -> None:
    check("/", ["double", "double"], "double", times=2000)
    check_constant("/", "double", "double")
    for type_ in ("int", "long"):
        check("//", [type_, type_], type_)
        check_constant("//", type_, type_)


COMPARED = [*NUMBERS, "string", "bytes", "boolean", ENUM, FIXED, RECORD, array("double")]
COMPARED += [array(ENUM), array(array("int"))]


@pytest.mark.parametrize("type_", COMPARED, ids=str)
@pytest.mark.parametrize("name", ["==", "!=", "<", "<=", ">", ">=", "cmp", "max", "min"])
def test_comparison(name: str, type_: Any) -> None:
    ret = type_ if name in ("max", "min") else "int" if name == "cmp" else "boolean"
    times = 300 if isinstance(type_, str) else 60
    check(name, [type_, type_], ret, times=times)
    if type_ in (*NUMBERS, "string"):
        check_constant(name, type_, ret)


def test_every_pair_of_doubles() -> None:
    for name in ("==", "!=", "<", "<=", ">", ">=", "max", "min", "/", "**", "%%", "%"):
        ret = "boolean" if name[0] in "=!<>" else "double"
        for texts in (["x0", "x1"], ["same(x0)", "same(x1)"]):
            site = FakeSite(name, ["double", "double"], ret, args=texts)
            site.names["same"] = same
            function = site.specialised()
            assert function is not None
            for x in DOUBLES:
                for y in DOUBLES:
                    assert outcome(function, [x, y]) == outcome(site.stock, [x, y]), (name, x, y)


def test_what_has_no_order_of_its_own_is_left_to_titus() -> None:
    recursive = {"type": "record", "name": "L", "fields": [{"name": "l", "type": array("L")}]}
    for type_ in (of_map("int"), UNION, recursive):
        assert FakeSite("==", [type_, type_], "boolean").specialised() is None
        assert FakeSite("a.sort", [array(type_)], array(type_)).specialised() is None


def test_logic_and_bits() -> None:
    check("^^", ["boolean", "boolean"], "boolean", times=20)
    check("!", ["boolean"], "boolean", times=10)
    for type_ in ("int", "long"):
        check("~", [type_], type_)
        for name in ("&", "|", "^"):
            check(name, [type_, type_], type_)


@pytest.mark.parametrize("name", sorted(n for n in (find("m.x"), *INLINE) if str(n)[:2] == "m."))
def test_elementary(name: str) -> None:
    if name.startswith(("m.link.", "m.kernel.")):
        pytest.skip("a kernel, not of this package")
    if name in ("m.pi", "m.e"):
        check(name, [], "double", times=1)
    elif name in ("m.atan2", "m.hypot"):
        check(name, ["double", "double"], "double", times=1000)
    elif name == "m.log":
        check(name, ["double", "int"], "double", times=1000)
        check_constant(name, "double", "double", "int")
    elif name == "m.round":
        check(name, ["double"], "long", every_double)
        check(name, ["float"], "int", every_double)
    elif name not in ("m.abs", "m.copysign"):
        check(name, ["double"], "int" if name == "m.signum" else "double", every_double, times=600)


def every_double(rng: random.Random) -> list[Any]:
    spread = rng.choice([1.0, 10.0, 800.0, 1e10, 1e19, 1e300])
    return [rng.choice([rng.choice(DOUBLES), rng.uniform(-spread, spread), rng.random()])]


@pytest.mark.parametrize("name", ["int", "long", "float", "double"])
def test_casts(name: str) -> None:
    for type_ in NUMBERS:
        check(f"cast.{name}", [type_], name, every_double if type_ in NUMBERS[2:] else None)
    for known in (3, -2, 2.5, -0.0):
        site = FakeSite(f"cast.{name}", ["double"], name, known={0: known}, args=[repr(known)])
        function = site.specialised()
        assert function is not None
        assert outcome(function, [known]) == outcome(site.stock, [known])


ITEMS = ["int", "double", "string", "boolean", ENUM, RECORD, array("double")]


@pytest.mark.parametrize("items", ITEMS, ids=str)
def test_arrays_of_all_kinds(items: Any) -> None:
    a = array(items)
    for name in ("head", "last"):
        check(f"a.{name}", [a], items, times=30)
    for name in ("tail", "init", "sort"):
        check(f"a.{name}", [a], a, times=100)
    for name in ("max", "min", "median", "mode"):
        check(f"a.{name}", [a], items, times=100)
    for name in ("argmax", "argmin", "len"):
        check(f"a.{name}", [a], "int", times=100)
    for name in ("maxN", "minN"):
        check(f"a.{name}", [a, "int"], a, partial(_with_small, a), times=100)
    for name in ("argmaxN", "argminN"):
        check(f"a.{name}", [a, "int"], array("int"), partial(_with_small, a), times=100)
    check("a.subseq", [a, "int", "int"], a, lambda rng: [value(a, rng), *_two(rng)], times=50)
    check("a.concat", [a, a], a, times=30)
    check("a.append", [a, items], a, times=30)
    for name, ret in (("contains", "boolean"), ("index", "int"), ("count", "int")):
        check(f"a.{name}", [a, a], ret, partial(_with_part, a), times=100)
        if not isinstance(items, dict) or items["type"] != "array":
            check(f"a.{name}", [a, items], ret, partial(_with_item, a, items), times=100)
    check("a.flatten", [array(a)], a, times=30)


def _two(rng: random.Random) -> list[int]:
    return [rng.randint(-8, 8), rng.randint(-8, 8)]


def _with_small(schema: Any, rng: random.Random) -> list[Any]:
    return [value(schema, rng), rng.randint(-1, 7)]


def _with_part(schema: Any, rng: random.Random) -> list[Any]:
    a = value(schema, rng)
    start, end = _two(rng)
    return [a, rng.choice([a[start:end], value(schema, rng)])]


def _with_item(schema: Any, items: Any, rng: random.Random) -> list[Any]:
    a = value(schema, rng)
    return [a, rng.choice(a) if a and rng.random() < 0.5 else value(items, rng)]


def test_an_item_of_a_union_is_left_to_titus() -> None:
    for name, ret in (("contains", "boolean"), ("index", "int"), ("count", "int")):
        assert FakeSite(f"a.{name}", [array(UNION), UNION], ret).specialised() is None


def test_constant_texts_are_a_set() -> None:
    known = ["a", "b", "ß"]
    site = FakeSite("a.contains", [array("string"), "string"], "boolean", known={0: known})
    function = site.specialised()
    assert function is not None
    for text in STRINGS:
        assert function(known, text) is (text in known)
    assert any(isinstance(x, frozenset) for x in site.names.values())


@pytest.mark.parametrize("type_", NUMBERS)
def test_sums(type_: str) -> None:
    check("a.sum", [array(type_)], type_)
    check("a.product", [array(type_)], type_)


@pytest.mark.parametrize("name", ["mean", "lnsum", "geomean", "logsumexp"])
def test_means(name: str) -> None:
    check(
        f"a.{name}",
        [array("double")],
        "double",
        lambda rng: [rng.choices(DOUBLES, k=rng.randint(0, 5))],
    )
    check(f"a.{name}", [array("double")], "double", lambda rng: [[rng.random() for _ in range(40)]])


def with_functions(
    name: str, schemas: list[Any], ret: Any, function: Any, text: str, **more: Any
) -> None:
    """Compare a function that takes a function, with a body to write out and without."""
    index = len(schemas)
    params = more.pop("params")
    full = [*schemas, {"type": "function", "params": params, "ret": more.pop("of", ret)}]

    def make(rng: random.Random) -> list[Any]:
        return more["make"](rng) if "make" in more else [value(schema, rng) for schema in schemas]

    for texts in ({index: text}, {}):
        check(name, full, ret, make, times=60, functions={index: function}, texts=texts)


def test_functions_of_arrays() -> None:
    a, ints = array("double"), array("int")
    one: Any = {"params": ["double"]}
    test: Any = {"params": ["double"], "of": "boolean"}
    with_functions("a.map", [a], a, lambda x: x * 2, "{} * 2", **one, of="double")
    with_functions("a.map", [ints], ints, lambda x: 1 // x, "1 // {}", params=["int"], of="int")
    with_functions(
        "a.mapWithIndex",
        [a],
        a,
        lambda i, x: i * x,
        "{} * {}",
        params=["int", "double"],
        of="double",
    )
    with_functions("a.filter", [a], a, lambda x: x > 1, "{} > 1", **test)
    with_functions(
        "a.filterWithIndex",
        [a],
        a,
        lambda i, x: i < x,
        "{} < {}",
        params=["int", "double"],
        of="boolean",
    )
    with_functions("a.flatMap", [a], a, lambda x: [x, x], "[{0}, {0}]", **one, of=a)
    for name in ("any", "all", "contains"):
        with_functions(f"a.{name}", [a], "boolean", lambda x: x > 1, "{} > 1", **test)
    with_functions("a.any", [ints], "boolean", lambda x: 1 % x > 0, "1 % {} > 0", params=["int"])
    for name in ("index", "count"):
        with_functions(f"a.{name}", [a], "int", lambda x: x > 1, "{} > 1", **test)
    for name in ("takeWhile", "dropWhile"):
        with_functions(f"a.{name}", [a], a, lambda x: x < 1, "{} < 1", **test)
    with_functions("a.reduce", [a], "double", lambda x, y: x - y, "{} - {}", params=["double"] * 2)
    with_functions(
        "a.fold", [a, "double"], "double", lambda x, y: x - y, "{} - {}", params=["double"] * 2
    )
    with_functions(
        "a.groupby",
        [ints],
        of_map(ints),
        lambda x: str(x % 3),
        "str({} % 3)",
        params=["int"],
        of="string",
    )
    for count in (2, 3, 4):
        with_functions(
            "a.zipmap",
            [a] * count,
            a,
            lambda *x: x[0] - x[-1],
            "{0} - {" + str(count - 1) + "}",
            params=["double"] * count,
            of="double",
            make=partial(_alike, count),
        )


def _alike(count: int, rng: random.Random) -> list[Any]:
    size = rng.randint(0, 3)
    sizes = [size if rng.random() < 0.9 else size + 1 for _ in range(count)]
    return [[value("double", rng) for _ in range(size)] for size in sizes]


@pytest.mark.parametrize("values", ["int", "double", "string", ENUM, RECORD], ids=str)
def test_maps_of_all_kinds(values: Any) -> None:
    m = of_map(values)
    check("map.len", [m], "int", times=20)
    check("map.keys", [m], array("string"), times=20)
    for name in ("values", "fromset"):
        check(f"map.{name}", [m], array(values), times=20)
    check("map.containsKey", [m, "string"], "boolean", times=50)
    check("map.containsValue", [m, values], "boolean", partial(_with_value, m, values), times=100)
    check("map.add", [m, "string", values], m, times=50)
    check("map.remove", [m, "string"], m, times=50)
    for name in ("update", "union"):
        check(f"map.{name}", [m, m], m, times=50)
    for name in ("only", "except"):
        check(f"map.{name}", [m, array("string")], m, times=100)
    check("map.split", [m], array(m), times=20)
    check("map.join", [array(m)], m, times=50)
    for name in ("argmax", "argmin"):
        check(f"map.{name}", [m], "string", times=200)
    for name in ("argmaxN", "argminN"):
        check(f"map.{name}", [m, "int"], array("string"), partial(_with_small, m), times=200)


def _with_value(schema: Any, values: Any, rng: random.Random) -> list[Any]:
    m = value(schema, rng)
    found = rng.choice([value(values, rng), *m.values()])
    return [m, found]


def test_functions_of_maps() -> None:
    m, ints = of_map("double"), of_map("int")
    with_functions("map.map", [m], m, lambda x: x * 2, "{} * 2", params=["double"], of="double")
    with_functions("map.map", [ints], ints, lambda x: 1 // x, "1 // {}", params=["int"], of="int")
    with_functions(
        "map.mapWithKey",
        [m],
        of_map("string"),
        lambda k, x: k + str(x),
        "{} + str({})",
        params=["string", "double"],
        of="string",
    )
    with_functions("map.filter", [m], m, lambda x: x > 1, "{} > 1", params=["double"], of="boolean")
    with_functions(
        "map.filterWithKey",
        [m],
        m,
        lambda k, x: k > "b" or x > 1,
        "{} > 'b' or {} > 1",
        params=["string", "double"],
        of="boolean",
    )
    with_functions(
        "map.flatMap",
        [m],
        m,
        lambda x: {"a": x, str(x): x},
        "{{'a': {0}, str({0}): {0}}}",
        params=["double"],
        of=m,
    )
    for kind, test, text in (
        ("Key", lambda k: k > "b", "{} > 'b'"),
        ("Value", lambda x: x == "b", "{} == 'b'"),
    ):
        with_functions(
            f"map.contains{kind}", [of_map("string")], "boolean", test, text, params=["string"]
        )
    for count in (2, 3, 4):
        for with_key in (False, True):
            last = str(count - 1 + with_key)
            with_functions(
                "map.zipmapWithKey" if with_key else "map.zipmap",
                [m] * count,
                m,
                lambda *x: x[-2] - x[-1] if not isinstance(x[-2], str) else x[-1],
                "{" + str(int(last) - 1) + "} - {" + last + "}",
                params=[*["string"][:with_key], *["double"] * count],
                of="double",
                make=partial(_alike_maps, count),
            )


def _alike_maps(count: int, rng: random.Random) -> list[Any]:
    keys = rng.sample("abcd", rng.randint(0, 3))
    maps = []
    for _ in range(count):
        own = rng.sample(keys, len(keys)) + (["z"] if rng.random() < 0.1 else [])
        maps.append({key: value("double", rng) for key in own})
    return maps


def test_filter_map() -> None:
    a = array("double")
    union: dict[str, Any] = {"of": UNION, "params": ["double"]}

    def some(x: Any, *rest: Any) -> Any:
        return None if x < 1 else {"double": x} if x < 2 else x

    body = "None if {0} < 1 else {{'double': {0}}} if {0} < 2 else {0}"
    with_functions("a.filterMap", [a], a, some, body, **union)
    union["params"] = ["int", "double"]
    with_functions("a.filterMapWithIndex", [a], a, some, body, **union)
    function = {"type": "function", "params": ["double"], "ret": ["null", "double", "string"]}
    assert FakeSite("a.filterMap", [a, function], a).specialised() is None


def test_a_text_may_be_too_long() -> None:
    half = "x" * (limits.MAX_TEXT // 2)
    site = FakeSite("s.concat", ["string", "string"], "string")
    function = site.specialised()
    assert function is not None
    for more in ("", "y"):
        assert outcome(function, [half + more, half]) == outcome(site.stock, [half + more, half])


def test_mode_of_many_floats() -> None:
    pool = [0.5, 1.5, 2.5, -1.0]
    for more in ([], [0.0, -0.0], [NAN], [1]):
        check(
            "a.mode", [array("double")], "double", lambda rng, p=pool + more: [rng.choices(p, k=9)]
        )


def test_texts() -> None:
    check("s.concat", ["string", "string"], "string", times=50)
    check("s.split", ["string", "string"], array("string"))
    check("s.len", ["string"], "int", times=30)
    check(
        "s.substr",
        ["string", "int", "int"],
        "string",
        lambda rng: [value("string", rng), *_two(rng)],
    )
    for name in ("contains", "startswith", "endswith"):
        check(f"s.{name}", ["string", "string"], "boolean")
    check("s.index", ["string", "string"], "int")
    for name in ("rindex", "strip", "lstrip", "rstrip"):
        ret = "int" if name == "rindex" else "string"
        for known, short in (("ab", True), ("x" * 101, False)):
            site = FakeSite(f"s.{name}", ["string", "string"], ret, known={1: known})
            site.args[1] = repr(known)
            function = site.specialised()
            assert (function is not None) == short
            for text in ("", "abab", "xxab", "xx", "ba" * 70) if function else ():
                assert function(text, known) == site.stock(text, known)
    for name in ("lower", "upper"):
        check(f"s.{name}", ["string"], "string")
