"""`make gate MODEL=file.pfa [LIVE=old.pfa]`: what the gate would say, before anything is uploaded.

python -m scripts.gate file.pfa [--live old.pfa] [--json]

The same checks in the same words; the limits come from the same variables of the environment
(GATE_MAX_MB and so on, see functions/gate/verdict.py). Ends with 0 if the document would go live, 1
if not, 2 if a file or a variable cannot be read.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

from bucket import NAME, SUFFIX, is_model_name
from gate.bounds import compare
from gate.verdict import Limits


def _file(name: str) -> Path:
    if not name:  # make gate without MODEL=
        raise argparse.ArgumentTypeError("the name of a file is missing")
    return Path(name)


def main(arguments: list[str] | None = None) -> int:
    """Check one document; return the exit code."""
    parser = argparse.ArgumentParser(prog="make gate", description="What the gate would say.")
    parser.add_argument("model", type=_file, help="the PFA document")
    parser.add_argument("--live", type=Path, help="the document that answers now")
    parser.add_argument("--json", action="store_true", help="write the report as JSON")
    given = parser.parse_args(arguments)
    try:
        limits = Limits.from_environment(os.environ)
        body = given.model.read_bytes()
        live = None if given.live is None else given.live.read_bytes()
    except OSError as error:
        print(f"make gate: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"make gate: {error}", file=sys.stderr)
        return 2
    verdict = compare(body, live, limits)
    print(json.dumps(verdict.to_json(), indent=2) if given.json else verdict.text())
    name = given.model.name
    if not name.endswith(SUFFIX) or not is_model_name(name.removesuffix(SUFFIX)):
        # The gate would not look at it at all.
        print(
            f"make gate: upload it as models/<name>{SUFFIX}, with a name of {NAME.pattern}",
            file=sys.stderr,
        )
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
