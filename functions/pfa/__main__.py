"""`python -m pfa explain model.pfa` prints the Python that a document becomes."""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from pfa.errors import DocumentError
from pfa.model import Model, load

_FIELD = re.compile(r'at PFA field "(.*)"')


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code: 0, or 1 if the document cannot be loaded."""
    parser = argparse.ArgumentParser(prog="python -m pfa", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    explain = commands.add_parser("explain", help="print the Python that a document becomes")
    explain.add_argument("document", type=Path, help="a .pfa file")
    explain.add_argument(
        "--positions", action="store_true", help="say where in the document each line is from"
    )
    chosen = parser.parse_args(arguments)
    try:
        model = load(chosen.document.read_bytes())
    except OSError as error:
        print(f"{chosen.document}: {error.strerror}", file=sys.stderr)
        return 1
    except DocumentError as error:
        where = f" ({error.position})" if error.position else ""
        print(f"{chosen.document}: {error}{where}", file=sys.stderr)
        return 1
    if model.fallback:
        print(f"# Not compiled: titus2 scores it. {model.fallback!r}")
    print("\n".join(_with_positions(model)) if chosen.positions else model.source.rstrip("\n"))
    return 0


def _with_positions(model: Model) -> Iterator[str]:
    """Give the lines, and before one that is from elsewhere than the last a comment with where."""
    last = None
    for line, position in zip(model.source.splitlines(), model.positions, strict=True):
        code = line.lstrip()
        if position is None:
            yield line
            last = None
            continue
        if position != last:
            last = position
            field = _FIELD.fullmatch(position)
            shown = field[1] if field else position
            indent = " " * (len(line) - len(code))
            yield f"{indent}# {shown if shown.isprintable() else ascii(shown)}"
        if not code.startswith("#"):  # which says less
            yield line


if __name__ == "__main__":
    sys.exit(main())
