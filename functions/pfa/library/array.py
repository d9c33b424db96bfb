"""Arrays: ``a.…``. What takes a function is written out as a comprehension where it can be."""

from collections.abc import Callable
from typing import Any

from pfa.library import arrays, order
from pfa.library.functions import applied, called, is_deep, names, only_tag
from pfa.library.texts import (
    call,
    checked,
    closed,
    closed_args,
    function,
    is_fixed,
    is_name,
    items,
    named,
    raiser,
)
from pfa.specialise import MISSING, Site, inline


@inline("a.len")
def _len(site: Site) -> str:
    return f"len({site.args[0]})"


@inline("a.subseq")
def _subseq(site: Site) -> str:
    a, start, end = closed_args(site)
    return f"{a}[{start}:{end}]"


_PARTS = {
    "a.head": ("[0]", 15020),
    "a.tail": ("[1:]", 15030),
    "a.last": ("[-1]", 15040),
    "a.init": ("[:-1]", 15050),
}


@inline(*_PARTS)
def _part(site: Site) -> str:
    part, code = _PARTS[site.name]
    first, then = named(site.args[0])
    return f"({then}{part} if {first} else {raiser(site, 'empty array', code)}())"


@inline("a.concat")
def _concat(site: Site) -> str:
    a, b = closed_args(site)
    return f"({a} + {b})"


@inline("a.append")
def _append(site: Site) -> str:
    return f"({closed(site.args[0])} + [{site.args[1]}])"


_SEARCH = {
    "a.contains": (arrays.contains, arrays.contains_part),
    "a.index": (arrays.index, arrays.index_of_part),
}


@inline(*_SEARCH)
def _search(site: Site) -> str | None:
    needle = site.types[1]
    if hasattr(needle, "params"):
        return _search_by_function(site)
    if needle.name == "union" or is_deep(getattr(needle, "items", needle)):
        return None  # a union may hold an array
    if needle.name == "array":
        return call(site, _SEARCH[site.name][1])
    array, item = closed_args(site)
    if site.name == "a.contains" and needle.name == "string":
        known = site.constant(0)
        if known is not MISSING and all(type(text) is str for text in known):
            return f"({item} in {site.bind('known', frozenset(known))})"
    if site.name == "a.contains" and (is_name(array) or is_fixed(site.args[1])):
        return f"({item} in {array})"
    return call(site, _SEARCH[site.name][0])


def _search_by_function(site: Site) -> str | None:
    (x,) = names(site, 1, "x")
    if site.name == "a.contains":
        return f"any({applied(site, 1, x)} for {x} in {items(site)})"
    return f"{function(site, arrays.index_by)}({site.args[0]}, {called(site, 1)})"


@inline("a.count")
def _count(site: Site) -> str | None:
    needle = site.types[1]
    if hasattr(needle, "params"):
        (x,) = names(site, 1, "x")
        return f"len([1 for {x} in {items(site)} if {applied(site, 1, x)}])"
    if needle.name == "union" or is_deep(getattr(needle, "items", needle)):
        return None
    if needle.name == "array":
        return call(site, arrays.count_of_part)
    return f"{closed(site.args[0])}.count({site.args[1]})"


@inline("a.sort")
def _sort(site: Site) -> str | None:
    sort = arrays.sorter(site.types[0].items)
    return sort and call(site, sort, hint="sort")


_EXTREME = {
    "a.max": (arrays.greatest, 15240),
    "a.min": (arrays.least, 15250),
    "a.argmax": (arrays.place_of_greatest, 15320),
    "a.argmin": (arrays.place_of_least, 15330),
}


@inline(*_EXTREME)
def _extreme(site: Site) -> str | None:
    find, code = _EXTREME[site.name]
    key = arrays.key_of(site.types[0].items)
    if key is MISSING:
        return None
    empty = raiser(site, "empty array", code)
    return call(site, find, empty, site.bind("key", key), hint=site.name.removeprefix("a."))


_EXTREMES = {
    "a.maxN": (arrays.greatest_of, 15280),
    "a.minN": (arrays.least_of, 15290),
    "a.argmaxN": (arrays.places_of_greatest, 15360),
    "a.argminN": (arrays.places_of_least, 15370),
}


@inline(*_EXTREMES)
def _extremes(site: Site) -> str | None:
    find, code = _EXTREMES[site.name]
    key = arrays.key_of(site.types[0].items)
    if key is MISSING:
        return None
    empty, negative = raiser(site, "empty array", code), raiser(site, "n < 0", code + 1)
    return call(site, find, empty, negative, site.bind("key", key))


@inline("a.sum")
def _sum(site: Site) -> str:
    text = f"sum({site.args[0]})"
    name = site.ret.name
    return checked(site, text, name, 15400) if name in ("int", "long") else text


@inline("a.product")
def _product(site: Site) -> str:
    name = site.ret.name
    if name in ("int", "long"):
        return checked(site, f"{function(site, arrays.prod)}({site.args[0]})", name, 15410)
    return f"{function(site, arrays.prod)}({site.args[0]}, start=1.0)"


@inline("a.mean")
def _mean(site: Site) -> str:
    first, then = named(site.args[0])
    return f"(sum({then}) / float(len({then})) if {first} else {site.bind('nan', arrays.nan)})"


@inline("a.lnsum")
def _lnsum(site: Site) -> str:
    return call(site, arrays.lnsum)


@inline("a.geomean")
def _geomean(site: Site) -> str:
    return call(site, arrays.geomean)


@inline("a.logsumexp")
def _logsumexp(site: Site) -> str:
    return call(site, arrays.logsumexp)


@inline("a.median", "a.mode")
def _middle(site: Site) -> str | None:
    of = site.types[0].items
    sort = arrays.sorter(of)
    if sort is None:
        return None
    is_real = site.ret.name in order.REAL
    name = function(site, sort, "sort")
    if site.name == "a.median":
        empty = raiser(site, "empty array", 15450)
        return call(site, arrays.median, empty, name, str(is_real))
    empty = raiser(site, "empty array", 15470)
    mode = arrays.mode_by_json
    if of.name in order.PLAIN - {"boolean"} or order.is_enum(of):
        mode = arrays.mode
    elif of.name in order.REAL:
        mode = arrays.mode_of_reals
    return call(site, mode, empty, name, str(is_real), hint="mode")


@inline("a.map")
def _map(site: Site) -> str:
    (x,) = names(site, 1, "x")
    a = items(site)
    return site.function(1).loop(a) or f"[{applied(site, 1, x)} for {x} in {a}]"


@inline("a.mapWithIndex")
def _map_with_index(site: Site) -> str:
    i, x = names(site, 1, "i", "x")
    return f"[{applied(site, 1, i, x)} for {i}, {x} in enumerate({items(site)})]"


@inline("a.filter")
def _filter(site: Site) -> str:
    (x,) = names(site, 1, "x")
    return f"[{x} for {x} in {items(site)} if {applied(site, 1, x)}]"


@inline("a.filterWithIndex")
def _filter_with_index(site: Site) -> str:
    i, x = names(site, 1, "i", "x")
    return f"[{x} for {i}, {x} in enumerate({items(site)}) if {applied(site, 1, i, x)}]"


@inline("a.flatMap")
def _flat_map(site: Site) -> str:
    (x,) = names(site, 1, "x")
    return f"{function(site, arrays.flat)}([{applied(site, 1, x)} for {x} in {items(site)}])"


@inline("a.filterMap", "a.filterMapWithIndex")
def _filter_map(site: Site) -> str | None:
    tag = only_tag(site.types[1].ret)
    if tag is None:
        return None
    if site.name == "a.filterMap":
        (x,) = names(site, 1, "x")
        mapped = f"[{applied(site, 1, x)} for {x} in {items(site)}]"
    else:
        i, x = names(site, 1, "i", "x")
        mapped = f"[{applied(site, 1, i, x)} for {i}, {x} in enumerate({items(site)})]"
    return f"{function(site, arrays.untagged)}({tag!r}, {mapped})"


@inline("a.flatten")
def _flatten(site: Site) -> str:
    return call(site, arrays.flat)


@inline("a.any", "a.all")
def _test(site: Site) -> str:
    (x,) = names(site, 1, "x")
    return f"{site.name.removeprefix('a.')}({applied(site, 1, x)} for {x} in {items(site)})"


@inline("a.zipmap")
def _zipmap(site: Site) -> str:
    count = len(site.args) - 1
    variables = names(site, count, *"xyzw"[:count])
    lists = [site.once(i) for i in range(count)]
    aligned = " == ".join(f"len({name})" for name in lists)
    mapped = f"[{applied(site, count, *variables)} for {', '.join(variables)}"
    mapped += f" in zip({', '.join(lists)})]"
    return f"({mapped} if {aligned} else {raiser(site, 'misaligned arrays', 15650)}())"


@inline("a.reduce")
def _reduce(site: Site) -> str:
    first, then = named(site.args[0])
    empty = raiser(site, "empty array", 15670)
    reduced = f"{function(site, _reducing(site, 1))}({called(site, 1)}, {then})"
    return f"({reduced} if {first} else {empty}())"


@inline("a.fold")
def _fold(site: Site) -> str:
    array, zero, _ = site.args
    return f"{function(site, _reducing(site, 2))}({called(site, 2)}, {array}, {zero})"


def _reducing(site: Site, index: int) -> Callable[..., Any]:
    """Return what applies the function at ``index`` to an array from the left."""
    given = site.function(index)
    call = given.call
    if call is None or call.name != "la.add" or call.args != given.given:
        return arrays.reduce
    added = call.types[0]
    is_flat = added.name == "array" and added.items.name != "array"
    return arrays.sum_of_arrays if is_flat else arrays.reduce


@inline("a.takeWhile", "a.dropWhile")
def _while(site: Site) -> str:
    part = arrays.take_while if site.name == "a.takeWhile" else arrays.drop_while
    return f"{function(site, part)}({site.args[0]}, {called(site, 1)})"


@inline("a.groupby")
def _groupby(site: Site) -> str:
    (x,) = names(site, 1, "x")
    array = site.once(0)
    keys = f"[{applied(site, 1, x)} for {x} in {array}]"
    return f"{function(site, arrays.grouped)}({array}, {keys})"
