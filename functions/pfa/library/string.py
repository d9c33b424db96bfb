"""Text: ``s.…``. What repeats text is limited in its size, and left to titus's functions."""

from collections.abc import Callable
from typing import Any

from pfa.library.texts import call, closed, is_fixed
from pfa.specialise import Site, inline

MAX_TEXT = 10_000_000  # as in pfa.compat.limits


def contains(text: str, part: str) -> bool:
    """Tell whether a text has a part."""
    return part in text


def concat(too_long: Callable[[], Any], x: str, y: str) -> str:
    """Return two texts as one."""
    return x + y if len(x) + len(y) <= MAX_TEXT else too_long()


def split(text: str, separator: str) -> list[str]:
    """Return the parts of a text; none, if the separator is empty."""
    return text.split(separator) if separator else []


@inline("s.concat")
def _concat(site: Site) -> str:
    message = f"the result would have more than {MAX_TEXT} characters"
    return call(site, concat, site.bind("too_long", site.error(message, None)))


@inline("s.split")
def _split(site: Site) -> str:
    return call(site, split)


@inline("s.len")
def _len(site: Site) -> str:
    return f"len({site.args[0]})"


@inline("s.substr")
def _substr(site: Site) -> str:
    text, start, end = map(closed, site.args)
    return f"{text}[{start}:{end}]"


@inline("s.contains")
def _contains(site: Site) -> str:
    text, part = map(closed, site.args)
    return (
        f"({part} in {text})"
        if is_fixed(site.args[0]) or is_fixed(site.args[1])
        else call(site, contains)
    )


@inline("s.index")
def _find(site: Site) -> str:
    return f"{closed(site.args[0])}.find({site.args[1]})"


# What these look for must be short, or Python takes the square of the time.
_SHORT = 100
_QUADRATIC = {"s.rindex": "rfind", "s.strip": "strip", "s.lstrip": "lstrip", "s.rstrip": "rstrip"}


@inline(*_QUADRATIC)
def _looked_for(site: Site) -> str | None:
    known = site.constant(1)
    if type(known) is not str or len(known) > _SHORT:
        return None
    return f"{closed(site.args[0])}.{_QUADRATIC[site.name]}({site.args[1]})"


_METHODS = ("lower", "upper", "startswith", "endswith")


@inline(*(f"s.{method}" for method in _METHODS))
def _method(site: Site) -> str:
    text, *others = site.args
    return f"{closed(text)}.{site.name.removeprefix('s.')}({', '.join(others)})"
