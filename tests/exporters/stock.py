"""Stock titus2, unmended, in a process of its own.

Run as a script it answers each line of JSON, a document and records, with a line: the outputs, or
what went wrong. It gets only the two names without which titus2 does not import on this Python.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any


class StockError(Exception):
    """Stock titus2 refused the document or a record."""


@cache
def _child() -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", str(Path(__file__).resolve())]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _tagged(value: Any, schema: Any) -> Any:
    """Return a value with the tags of its unions, without which titus2 takes "40" for a number."""
    if isinstance(schema, list) and value is not None:
        kinds = {bool: ["boolean"], int: ["long", "double"], float: ["double"], str: ["string"]}
        return {next(kind for kind in kinds[type(value)] if kind in schema): value}
    if isinstance(schema, dict) and schema["type"] == "map":
        return {name: _tagged(each, schema["values"]) for name, each in value.items()}
    if isinstance(schema, dict):
        return {
            field["name"]: _tagged(value.get(field["name"]), field["type"])
            for field in schema["fields"]
        }
    return value


def scored(text: str, records: list[Any]) -> list[Any]:
    """Return what stock titus2 says to the records. Raises StockError."""
    schema = json.loads(text)["input"]
    records = [_tagged(record, schema) for record in records]
    child = _child()  # which ends with its standard input
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps([text, records]) + "\n")
    child.stdin.flush()
    answer = json.loads(child.stdout.readline())
    if "failed" in answer:
        raise StockError(answer["failed"])
    return list(answer["outputs"])


def _main() -> None:
    import inspect

    import numpy as np

    inspect.getargspec = inspect.getfullargspec  # type: ignore[attr-defined]
    np.float_ = np.float64  # type: ignore[attr-defined]
    from titus.datatype import jsonEncoder
    from titus.genpy import PFAEngine

    out, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        text, records = json.loads(line)
        row: int | None = None
        try:
            (engine,) = PFAEngine.fromJson(text)
            outputs = []
            for row, record in enumerate(records):  # noqa: B007 - for the error
                outputs.append(jsonEncoder(engine.outputType, engine.action(record)))
            answer: dict[str, Any] = {"outputs": outputs}
        except Exception as error:  # of any kind: the test shows it
            where = "" if row is None else f"row {row}: "
            answer = {"failed": f"{where}{type(error).__name__}: {error}"}
        print(json.dumps(answer, default=float), file=out, flush=True)


if __name__ == "__main__":
    _main()
