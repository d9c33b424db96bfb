"""Code for where any error will do: what goes wrong is done again the long way (see direct.py).

So a step of a path is a mere ``[…]``, and a kernel may be an expression in place of a call.
"""

import re
from collections.abc import Iterable, Mapping

from pfa.compiler.code import Block, Statement, changed, renamed
from pfa.library.texts import closed, is_name
from pfa.specialise import STRING

# A string, which is left alone, or a call of what the compiler bound (see Base.bind).
_CALL = re.compile(rf"{STRING}|\b([ku][0-9]+_\w+)\(")
_MAY_BE_CALLED = re.compile(r"[ku][0-9]+_\w+")
_PART = re.compile(rf"{STRING}|[()\[\]{{}},]")
# What a union from elsewhere has to be asked about, see is_double and is_other in control.py.
_TEST = re.compile(
    rf"{STRING}|\btype\((g\d+)\) is dict and len\(\1\) == 1 and "
    r"| and type\(g\d+\['double'\]\) is float"
)

_MAY_SKIP = re.compile(r" (?:if|and|or|for) ")
# Calls of user functions, and parameters that could have the names of variables in an argument.
_UNFIT = re.compile(r"\bu[0-9]+_\w+\(|\blambda\b")
_LONGEST = 500  # characters of a function that is written in place of its call


def catches_errors(statements: Iterable[Statement]) -> bool:
    """Tell whether there is a ``try`` in statements, so that an error is not the end."""
    return any(
        isinstance(each, Block) and (each.header == "try:" or catches_errors(each.body))
        for each in statements
    )


def of_functions(
    functions: Iterable[tuple[str, list[str], str]], short: Mapping[str, str]
) -> dict[str, str]:
    """Return ``short`` with the user functions (name, parameters, body) that call no other."""
    found = dict(short)
    for name, params, body in functions:
        text = _shortened(body, found)
        if len(text) <= _LONGEST and ":=" not in text and not _UNFIT.search(text):
            places = {param: f"{{{number}}}" for number, param in enumerate(params)}
            found[name] = f"({renamed(text.replace('{', '{{').replace('}', '}}'), places)})"
    return found


def shortened(statements: Iterable[Statement], short: Mapping[str, str]) -> list[Statement]:
    """Return statements with calls in their short form; ``short`` is as in Site.bind, by name."""
    return changed(
        statements, lambda text: text if text.startswith("def ") else _shortened(text, short)
    )


def unlimited(statements: Iterable[Statement]) -> list[Statement]:
    """Return statements without a look at the clock."""
    return [
        Block(each.header, unlimited(each.body), each.pos) if isinstance(each, Block) else each
        for each in statements
        if each != "state.checkTime()"
    ]


def _shortened(text: str, short: Mapping[str, str]) -> str:
    if short.keys().isdisjoint(_MAY_BE_CALLED.findall(text)):
        return text
    done, after = "", 0
    for found in _CALL.finditer(text):
        if found[1] in short and found.start() >= after:
            args, end = _arguments(text, found.end())
            form = short[found[1]]
            if not all(_fits(form, i, each, found[1]) for i, each in enumerate(args)):
                continue
            made = form.format(*(closed(_shortened(each, short)) for each in args))
            if ":=" in made and _is_gone_through(text[after:]):
                continue
            done += text[after : found.start()] + made
            after = end
    return done + text[after:]


def _fits(form: str, number: int, arg: str, name: str) -> bool:
    """Tell whether an argument is evaluated just once in what is written for a call of ``name``.

    A variable or a number need not be. The form of a library function evaluates what it has to;
    that of a user function may leave out an argument, and with it an error.
    """
    if is_name(arg) and arg != "_v":
        return True
    times = form.replace("{{", "").count(f"{{{number}}}")
    is_user = name.startswith("u")
    return times <= 1 and not (is_user and (times < 1 or _MAY_SKIP.search(form)))


def of_input(statements: Iterable[Statement]) -> list[Statement]:
    """Return statements of an action that take a union of the input for what the reader made."""

    def shorter(text: str) -> str:
        if "type(g" not in text:
            return text
        return _TEST.sub(lambda found: "" if found[0][0] not in "'\"" else found[0], text)

    return changed(statements, shorter)


def _is_gone_through(text: str) -> bool:
    """Tell whether a part of an expression may be what a comprehension goes through.

    There Python takes no ``:=``.
    """
    return " for " in text


def _arguments(text: str, start: int) -> tuple[list[str], int]:
    """Return the arguments of a call, whose first begins at ``start``, and where the call ends."""
    args: list[str] = []
    depth = 0
    begin = start
    for part in _PART.finditer(text, start):
        if part[0] in "([{":
            depth += 1
        elif part[0] == "," and not depth:
            args.append(text[begin : part.start()])
            begin = part.end() + 1
        elif part[0] in ")]}":
            if not depth:
                return [*args, text[begin : part.start()]], part.end()
            depth -= 1
    raise ValueError
