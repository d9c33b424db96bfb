"""`python -m exporters model.joblib --data train.csv --out model.pfa`, `... verify model.pfa`

Models: a file of joblib or pickle (scikit-learn, and XGBoost's and LightGBM's classes for it), or
of XGBoost's own format (.json, .ubj) or LightGBM's (.txt), or a folder that Spark ML has saved.
Data: .csv, or .parquet if pandas can read it; the columns that the model was fitted to, and those
of --drop.

`verify` scores the examples of a document again, and writes the largest errors into the certificate
of one that R has written.

Exit code: 0 written; 1 the model cannot be exported, or the document would not answer the same;
2 a file cannot be read or written, or the command is wrong.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from exporters.certificate import verified
from exporters.columns import avro_names
from exporters.errors import ExportError
from exporters.export import to_pfa, write_pfa


def load_pickled(path: Path) -> Any:
    """Return a model of joblib's or pickle's. Runs whatever code is in it."""
    import joblib

    print(
        f"warning: reading {path.name} runs the code in it; only do so with a file that you trust",
        file=sys.stderr,
    )
    return joblib.load(path)


def load_xgboost(path: Path) -> Any:
    """Return a model of XGBoost's own format."""
    import xgboost

    return xgboost.Booster(model_file=str(path))


def load_lightgbm(path: Path) -> Any:
    """Return a model of LightGBM's own format."""
    import lightgbm

    return lightgbm.Booster(model_file=str(path))


def load_spark(path: Path) -> Any:
    """Return a model of a folder that Spark ML has saved."""
    from exporters.spark.session import load

    return load(path)


_LOADERS: dict[str, Callable[[Path], Any]] = {
    ".joblib": load_pickled,
    ".pkl": load_pickled,
    ".pickle": load_pickled,
    ".json": load_xgboost,
    ".ubj": load_xgboost,
    ".txt": load_lightgbm,
}


def load_model(path: Path) -> Any:
    """Return the model of a file, by the ending of its name. Raises ExportError."""
    loader = load_spark if path.is_dir() else _LOADERS.get(path.suffix.lower())
    if loader is None:
        known = ", ".join(_LOADERS)
        raise ExportError(f"{path.name}: models end in {known}, or are folders.")
    return loader(path)


def load_data(path: Path, drop: list[str]) -> Any:
    """Return the rows of a CSV or Parquet file, without the columns ``drop``."""
    import pandas as pd

    read = pd.read_parquet if path.suffix.lower() == ".parquet" else pd.read_csv
    data = read(path)
    missing = [name for name in drop if name not in data.columns]
    if missing:
        raise ExportError(f"{path.name} has no column {missing[0]!r} to drop.")
    return data.drop(columns=drop)


def _arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m exporters",
        description="Write a fitted model as a PFA document, with proof that it answers the same.",
        epilog="`python -m exporters verify churn.pfa` scores the examples of a document again.",
    )
    parser.add_argument("model", type=Path, help="file or folder of the fitted model")
    parser.add_argument("--data", type=Path, required=True, help="training data: .csv or .parquet")
    parser.add_argument("--out", type=Path, required=True, help="where the document goes: .pfa")
    parser.add_argument("--drop", action="append", default=[], help="a column that is no input")
    parser.add_argument("--name", help="of the document; else the file's")
    parser.add_argument("--version", type=int, help="of the document")
    parser.add_argument("--doc", help="what the model is, for its users")
    parser.add_argument("--examples", type=int, default=32, help="rows that travel along")
    parser.add_argument("--tolerance", type=float, help="largest relative difference")
    parser.add_argument(
        "--output", default="auto", choices=["auto", "predict", "predict_proba", "both"]
    )
    return parser.parse_args(given)


def verify(given: list[str]) -> int:
    """Score a document's examples; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m exporters verify",
        description="Score a document's examples; fill in the errors of R's certificates.",
    )
    parser.add_argument("document", type=Path, help="a .pfa file")
    path = parser.parse_args(given).document
    try:
        document = json.loads(path.read_text("utf-8"))
        made = verified(document)
        if made != document:
            write_pfa(made, path)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    facts = made["metadata"]
    print(
        f"{facts['source']}: {facts['rows']} rows, largest relative difference"
        f" {facts['largest-error']}, absolute {facts['absolute-error']}"
    )
    return 0


def main(given: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    given = sys.argv[1:] if given is None else given
    if given[:1] == ["verify"]:
        return verify(given[1:])
    args = _arguments(given)
    start = time.perf_counter()

    def say(text: str) -> None:
        print(f"{time.perf_counter() - start:6.1f} s  {text}", file=sys.stderr, flush=True)

    try:
        model = load_model(args.model)
        say(f"{type(model).__name__} of {args.model.name}")
        data = load_data(args.data, args.drop)
        say(f"{len(data)} rows, {len(data.columns)} columns of {args.data.name}")
    except Exception as error:  # of any of the libraries: what they say of a broken file
        print(f"error: {error}", file=sys.stderr)
        return 2
    try:
        document = to_pfa(
            model,
            data,
            name=args.name or avro_names([args.out.stem])[0],
            version=args.version,
            output=args.output,
            doc=args.doc,
            examples=args.examples,
            tolerance=args.tolerance,
        )
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    facts = document["metadata"]
    say(f"scored {facts['rows']} rows: largest relative difference {facts['largest-error']}")
    try:
        write_pfa(document, args.out)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    say(f"{args.out}: {args.out.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
