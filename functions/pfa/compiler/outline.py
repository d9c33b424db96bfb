"""Blocks that are in more others than Python takes: the inner ones as functions of their own.

Python takes 20 loops and attempts in each other, 100 levels of indentation, and 20 handlers of
errors in one function. Deeper ones become functions beside each other, which are defined where the
function begins that they were in, and share its variables.
"""

import ast
import re
from collections.abc import Iterable, Iterator

from pfa.compiler.code import Block, Statement, placed, render

MAX_BLOCKS = 6  # in each other, in one function; program.MAX_TRIES says why not more
MAX_CASES = 200  # of one "if"; Python's parser gives up at 2,000


def flat(statements: Iterable[Statement]) -> list[Statement]:
    """Return a module, or a class, of which no function has blocks in more than MAX_BLOCKS."""
    return [
        each
        if isinstance(each, str)
        else Block(each.header, flat(each.body), each.pos)
        if each.header.startswith("class ")
        else Block(each.header, flat_body(each.body, each.header), each.pos)
        for each in statements
    ]


def flat_body(statements: Iterable[Statement], header: str = "") -> list[Statement]:
    """Return the body of the function with this header."""
    made = _Function()
    body = made.flat(statements, 0)
    shared = sorted(made.shared - {*re.findall(r"\w+", header)})
    # so that they are this function's, wherever they are assigned
    first: list[Statement] = [f"{' = '.join(shared)} = None"] if shared else []
    return [*first, *made.functions, *body]


class _Function:
    """A function, while its body is made flat."""

    def __init__(self) -> None:
        self.functions: list[Statement] = []  # to be defined at its beginning
        self.shared: set[str] = set()  # variables that these assign, too

    def flat(self, statements: Iterable[Statement], depth: int) -> list[Statement]:
        """Return statements that are in so many blocks of the function."""
        made: list[Statement] = []
        for each in _whole(statements):
            if isinstance(each, str):
                made.append(each)
            elif each[0].header.startswith("def "):
                (block,) = each
                body = flat_body(block.body, block.header)
                where = self.functions if depth else made
                where.append(Block(block.header, body, block.pos))
            elif depth < MAX_BLOCKS or _jumps(each):
                made += self.inner(each, depth)
            else:
                made.append(self.call(each))
        return made

    def inner(self, blocks: list[Block], depth: int) -> list[Statement]:
        return [Block(each.header, self.flat(each.body, depth + 1), each.pos) for each in blocks]

    def call(self, blocks: list[Block]) -> str:
        """Make a function of a compound statement; return what calls it."""
        body = self.inner(blocks, 0)
        names = {
            node.id
            for node in ast.walk(ast.parse("\n".join(render(body))))
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        self.shared |= names
        if names:
            body.insert(0, f"nonlocal {', '.join(sorted(names))}")
        name = f"block{len(self.functions)}"
        pos = blocks[0].pos
        self.functions.append(Block(f"def {name}():", body, pos))
        return placed(f"{name}()", pos)


def _whole(statements: Iterable[Statement]) -> Iterator[str | list[Block]]:
    """Give simple statements, and compound ones with all their parts."""
    parts: list[Block] = []
    for each in statements:
        goes_on = isinstance(each, Block) and each.header.startswith(("el", "except "))
        if parts and not goes_on:
            yield _shorter(parts)
            parts = []
        if isinstance(each, str):
            yield each
        else:
            parts.append(each)
    if parts:
        yield _shorter(parts)


def _shorter(parts: list[Block]) -> list[Block]:
    """Return a compound statement with fewer parts, the others in the last one."""
    if len(parts) <= MAX_CASES:
        return parts
    first, *rest = parts[MAX_CASES:]
    if first.header == "else:":
        return parts
    inside = Block(first.header.removeprefix("el"), first.body, first.pos)
    return [*parts[:MAX_CASES], Block("else:", [inside, *rest], first.pos)]


def _jumps(statements: Iterable[Statement], in_loop: bool = False) -> bool:
    """Tell whether statements leave a loop, or a function, that they are in."""
    for each in statements:
        if isinstance(each, str):
            if each.startswith("return ") or (each == "break" and not in_loop):
                return True
        elif not each.header.startswith("def "):
            loop = in_loop or each.header.startswith(("for ", "while "))
            if _jumps(each.body, loop):
                return True
    return False
