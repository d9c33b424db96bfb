"""What changes from one model to another: types, structure, and the answers to the rows of a file.

python -m scripts.diff old.pfa new.pfa --data rows.ndjson

The rows are records of the models' input: NDJSON, or one JSON array. Prints Markdown, or JSON with
--json. Exit code: 0 no type and no answer changes, 1 some do, 2 they could not be compared.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import traceback
from pathlib import Path

FUNCTIONS = Path(__file__).resolve().parent.parent.parent / "functions"
if str(FUNCTIONS) not in sys.path:
    sys.path.insert(0, str(FUNCTIONS))

import pfa  # noqa: E402
from scripts.diff import behaviour, histogram, report, rows, schema, structure  # noqa: E402
from scripts.diff.spread import middle  # noqa: E402

TOLERANCE = 1e-9
SAME, CHANGED, NOT_COMPARED = 0, 1, 2


class NotComparedError(Exception):
    """The models cannot be compared; the message says why."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.diff",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("old", type=_file, help="a .pfa file")
    parser.add_argument("new", type=_file, help="a .pfa file")
    parser.add_argument("--data", type=_file, required=True, help="records: NDJSON or a JSON array")
    parser.add_argument("--png", type=_file, help="draw a histogram of the differences there")
    parser.add_argument(
        "--tolerance",
        type=_tolerance,
        default=TOLERANCE,
        help="relative difference up to which numbers are the same (%(default)g)",
    )
    parser.add_argument("--skip-bad", action="store_true", help="leave out lines that are no JSON")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args(arguments)
    try:
        found = difference(
            chosen.old, chosen.new, chosen.data, chosen.tolerance, skip_bad=chosen.skip_bad
        )
    except (NotComparedError, rows.RowsError) as error:
        print(f"diff: {report.one_line(str(error))}", file=sys.stderr)
        return NOT_COMPARED
    if chosen.png:
        try:
            histogram.save(figures(found), chosen.png)
            found.picture = str(chosen.png)
        except histogram.PictureError as error:  # what was found is worth more than the picture
            print(f"diff: no picture: {report.one_line(str(error))}", file=sys.stderr)
    if chosen.json:
        print(json.dumps(report.to_json(found), indent=1))
    else:
        print(report.markdown(found), end="")
    return CHANGED if found.changes else SAME


def _file(name: str) -> Path:
    if not name:  # of a variable that make was not given
        raise argparse.ArgumentTypeError("the name of a file is missing")
    return Path(name)


def _tolerance(text: str) -> float:
    value = float(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError("it is a number, 0 or larger")
    return value


def difference(
    old_file: Path, new_file: Path, data: Path, tolerance: float, *, skip_bad: bool = False
) -> report.Difference:
    """Compare two documents, and what they answer to the rows of a file.

    Raises NotComparedError, RowsError.
    """
    (old_document, old), (new_document, new) = _load(old_file), _load(new_file)
    word = rows.word(data)
    try:
        answers = behaviour.compare(old, new, rows.read(data), tolerance, skip_bad)
    except behaviour.BadRowError as error:
        message = f"{data}, {word} {error.row.number}: {error}; --skip-bad leaves such lines out"
        raise NotComparedError(message) from error
    if not answers.rows:
        raise NotComparedError(f"{data}: there are no rows")
    if answers.neither_accepts == answers.rows:
        raise NotComparedError(
            f"{data}: of {answers.rows} rows none fits the input of either model."
            f" The first: {_why(new, data)}"
        )
    return report.Difference(
        old_file=str(old_file),
        new_file=str(new_file),
        data_file=str(data),
        row_word=word,
        types=schema.compare(old, new),
        breaking=schema.breaking(old, new),
        structure=structure.compare(old_document, new_document),
        behaviour=answers,
    )


def _load(path: Path) -> tuple[bytes, pfa.Model]:
    try:
        document = path.read_bytes()
        return document, pfa.load(document)
    except OSError as error:
        raise NotComparedError(f"{path}: {error.strerror}") from error
    except pfa.DocumentError as error:
        where = f" ({error.position})" if error.position else ""
        raise NotComparedError(f"{path}: {error}{where}") from error


def _why(model: pfa.Model, data: Path) -> str:
    """What is wrong with the first record, for the model."""
    record = next(row.record for row in rows.read(data) if row.problem is None)
    (result,) = model.score_batch([record])
    if not isinstance(result, pfa.InputError) or not result.errors:
        return str(result)
    first = result.errors[0]
    return f"at {first['pointer'] or '/'} it takes {first['detail']}"


def figures(found: report.Difference) -> dict[str, object]:
    """What the histogram shows: of each place how many differ by about how much."""
    it = found.behaviour
    places = {
        place or "/": {
            "title": f"{numbers.changed:,} of {numbers.compared:,} differ"
            f" by more than {it.tolerance:g}",
            "sizes": {
                way: [(middle(bucket), count) for bucket, count in spread.buckets.items()]
                for way, spread in (("up", numbers.up), ("down", numbers.down))
            },
        }
        for place, numbers in it.numbers.items()
        if numbers.changed
    }
    title = (
        f"{Path(found.old_file).name} → {Path(found.new_file).name}:"
        f" {it.changed:,} of {it.rows:,} rows change"
    )
    return {"title": title, "places": places}


if __name__ == "__main__":
    try:
        code = main()
    except Exception:  # Python's own exit code would be 1: "something changes"
        traceback.print_exc()
        code = NOT_COMPARED
    sys.exit(code)
