"""The short way of a record: one function reads it, scores it and writes the answer.

Only for documents without state, and only while all goes well: whatever goes wrong in it, the
caller does all of it again the long way, which has the words for it.
"""

import re
from collections.abc import Callable
from types import CodeType
from typing import Any

from pfa import convert
from pfa.compiler.code import Block, Statement, render
from pfa.schema import Type

# A field of the input; a string; a name.
_TOKEN = re.compile(
    r"""v_input\['([A-Za-z_][A-Za-z0-9_]*)'\]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*"""
)
_STATE = re.compile(r"\bstate\b")


def source_of(program: Any, read: Type, write: Type) -> str:
    """Return the module with the function ``score(record)`` of a program without state."""
    from pfa.compiler import bare, short  # not at the top: an artifact does without

    reading = convert.reader(read, "record", "in_", whole=False)
    own: list[Statement] = program.functions
    body: list[Statement] = [*program.action, f"result = {program.result}"]
    if not program.has_limit:
        own, body = short.unlimited(own), short.unlimited(body)
    if not short.catches_errors([*own, *body]):
        forms = short.of_functions(program.expressions, program.short)
        own, body = short.shortened(own, forms), short.shortened(body, forms)
    body = short.of_input(body)
    by_field = _by_field(body, reading.fields) if reading.fields else None
    if by_field is None:
        untagged = bare.of_map(body, read)
        body = untagged or body
        reading = convert.reader(read, "record", "in_", bare=untagged is not None)
        by_field = [f"v_input = {reading.value}", *body]
    writing = convert.writer_code(write, "result", "out_")
    inside: list[Statement] = [*reading.lines, *by_field, *writing.lines]
    functions = render(own)
    text = "\n".join([*functions, *render(body)]).replace("(self, state", "(")
    if "state" in text and _STATE.search(text):
        inside.insert(0, "state = new_state()")
    lines = [
        *reading.prelude,
        *writing.prelude,
        *functions,
        *render([Block("def score(record):", [*inside, f"return {writing.value}"])]),
    ]
    return "\n".join(lines) + "\n"


def _by_field(body: list[Statement], fields: dict[str, str]) -> list[Statement] | None:
    """Return the body with fields of the input as variables; None if it needs the whole input."""
    whole = False

    def replace(match: re.Match[str]) -> str:
        nonlocal whole
        if match[1] is not None and match[1] in fields:
            return fields[match[1]]
        whole = whole or match[0] == "v_input"
        return match[0]

    def renamed(text: str) -> str:
        return _TOKEN.sub(replace, text) if "v_input" in text else text

    def replaced(statements: list[Statement]) -> list[Statement]:
        return [
            Block(renamed(each.header), replaced(each.body))
            if isinstance(each, Block)
            else renamed(each)
            for each in statements
        ]

    made = replaced(body)
    return None if whole else made


_SCORE = "def score(record):\n"
_RETURN = "    return "


def batch_source(source: str) -> str:
    """Return the module with the function ``score(records, append)``, of the one for one.

    It appends the answer of each record, until one fails.
    """
    before, _, body = source.partition(_SCORE)
    *lines, last = body.splitlines()
    lines.append(f"    append({last.removeprefix(_RETURN)})")
    inside = "\n".join(f"    {line}" for line in lines)
    return f"{before}def score(records, append):\n    for record in records:\n{inside}\n"


def compiled(source: str) -> CodeType:
    """Compile the module that ``source_of`` wrote."""
    return compile(source, "<model>", "exec", dont_inherit=True)


def names_outside(code: CodeType) -> set[str]:
    """Return the names that a module needs, but does not define."""
    functions = [each for each in code.co_consts if isinstance(each, CodeType)]
    return _names_in(code) - {each.co_name for each in functions}


def _names_in(code: CodeType) -> set[str]:
    inside = (_names_in(each) for each in code.co_consts if isinstance(each, CodeType))
    return set(code.co_names).union(*inside)


def function_of(
    code: CodeType, names: dict[str, Any], read: Type, write: Type
) -> Callable[[Any], Any]:
    """Run the module that ``source_of`` wrote; return its function.

    ``names`` are those that the program's code sees, and ``new_state``.
    """
    given = {**names, **convert.read_names(read, "in_"), **convert.write_names(write, "out_")}
    given |= {"self": None, "state": None}  # what is handed on, and not used
    exec(code, given)  # noqa: S102 - see program.py
    function: Callable[[Any], Any] = given["score"]
    return function
