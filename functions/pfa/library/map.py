"""Maps: ``map.…``. What takes a function is written out as a comprehension where it can be."""

from collections.abc import Callable
from typing import Any

from pfa.library import arrays, maps
from pfa.library.functions import applied, is_deep, names
from pfa.library.texts import call, closed, function, is_fixed, is_name, items, raiser
from pfa.specialise import MISSING, Site, inline


@inline("map.len", "map.keys")
def _keys(site: Site) -> str:
    return f"{'len' if site.name == 'map.len' else 'list'}({site.args[0]})"


@inline("map.values", "map.fromset")
def _values(site: Site) -> str:
    return f"list({closed(site.args[0])}.values())"


@inline("map.containsKey")
def _contains_key(site: Site) -> str:
    if hasattr(site.types[1], "params"):
        (key,) = names(site, 1, "k")
        return f"any({applied(site, 1, key)} for {key} in {items(site)})"
    m, key = site.args
    if is_name(m) or is_fixed(key):
        return f"({closed(key)} in {closed(m)})"
    return call(site, maps.contains_key)


@inline("map.containsValue")
def _contains_value(site: Site) -> str | None:
    if hasattr(site.types[1], "params"):
        (x,) = names(site, 1, "x")
        return f"any({applied(site, 1, x)} for {x} in {items(site)}.values())"
    return None if is_deep(site.types[1]) else call(site, maps.contains_value)


@inline("map.add")
def _add(site: Site) -> str | None:
    if len(site.args) == 2:
        return None  # its key is made of the value
    m, key, value = site.args
    return f"{{**{closed(m)}, {closed(key)}: {value}}}"


@inline("map.update", "map.union")
def _update(site: Site) -> str:
    a, b = site.args
    return f"{{**{closed(a)}, **{closed(b)}}}"


_PLAIN: dict[str, Callable[..., Any]] = {
    "map.except": maps.without,
    "map.join": maps.join,
    "map.only": maps.only,
    "map.remove": maps.remove,
    "map.split": maps.split,
}


@inline(*_PLAIN)
def _plain(site: Site) -> str:
    return call(site, _PLAIN[site.name])


_EXTREME = {
    "map.argmax": (maps.key_of_greatest, 26120),
    "map.argmin": (maps.key_of_least, 26130),
}


@inline(*_EXTREME)
def _extreme(site: Site) -> str | None:
    find, code = _EXTREME[site.name]
    key = arrays.key_of(site.types[0].values)
    if key is MISSING:
        return None
    empty = raiser(site, "empty map", code)
    return call(site, find, empty, site.bind("key", key), hint=site.name.removeprefix("map."))


_EXTREMES = {"map.argmaxN": (True, 26160), "map.argminN": (False, 26170)}


@inline(*_EXTREMES)
def _extremes(site: Site) -> str | None:
    downwards, code = _EXTREMES[site.name]
    key = arrays.key_of(site.types[0].values)
    if key is MISSING:
        return None
    empty, negative = raiser(site, "empty map", code), raiser(site, "n < 0", code + 1)
    return call(site, maps.keys_of_first, empty, negative, site.bind("key", key), str(downwards))


@inline("map.map")
def _map(site: Site) -> str:
    (x,) = names(site, 1, "x")
    return f"{{key_{x}: {applied(site, 1, x)} for key_{x}, {x} in {items(site)}.items()}}"


@inline("map.mapWithKey")
def _map_with_key(site: Site) -> str:
    key, x = names(site, 1, "k", "x")
    return f"{{{key}: {applied(site, 1, key, x)} for {key}, {x} in {items(site)}.items()}}"


@inline("map.filter")
def _filter(site: Site) -> str:
    (x,) = names(site, 1, "x")
    pairs = f"key_{x}, {x} in {items(site)}.items()"
    return f"{{key_{x}: {x} for {pairs} if {applied(site, 1, x)}}}"


@inline("map.filterWithKey")
def _filter_with_key(site: Site) -> str:
    key, x = names(site, 1, "k", "x")
    pairs = f"{key}, {x} in {items(site)}.items()"
    return f"{{{key}: {x} for {pairs} if {applied(site, 1, key, x)}}}"


@inline("map.flatMap")
def _flat_map(site: Site) -> str:
    (x,) = names(site, 1, "x")
    mapped = f"[{applied(site, 1, x)} for {x} in {items(site)}.values()]"
    return f"{function(site, maps.join)}({mapped})"


@inline("map.zipmap", "map.zipmapWithKey")
def _zipmap(site: Site) -> str:
    count = len(site.args) - 1
    with_key = site.name == "map.zipmapWithKey"
    hints = ("k", *"xyzw"[:count]) if with_key else tuple("xyzw"[:count])
    parameters = names(site, count, *hints)
    variables = parameters[with_key:]
    key = parameters[0] if with_key else f"key_{variables[0]}"
    first, *others = (site.once(i) for i in range(count))
    # Python compiles ``for x in (value,)`` to an assignment
    loops = "".join(
        f" for {x} in ({other}[{key}],)" for x, other in zip(variables[1:], others, strict=True)
    )
    mapped = f"{{{key}: {applied(site, count, *parameters)}"
    mapped += f" for {key}, {variables[0]} in {first}.items(){loops}}}"
    aligned = " == ".join(f"{name}.keys()" for name in (first, *others))
    code = 26380 if with_key else 26370
    return f"({mapped} if {aligned} else {raiser(site, 'misaligned maps', code)}())"
