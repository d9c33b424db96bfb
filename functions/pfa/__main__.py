"""``python -m pfa explain model.pfa`` prints the Python that a document becomes."""

import argparse
import sys
from pathlib import Path

from pfa.errors import DocumentError
from pfa.model import load


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code: 0, or 1 if the document cannot be loaded."""
    parser = argparse.ArgumentParser(prog="python -m pfa", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    explain = commands.add_parser("explain", help="print the Python that a document becomes")
    explain.add_argument("document", type=Path, help="a .pfa file")
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
    print(model.source, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
