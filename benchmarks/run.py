"""Compare this function with the plain way, in one run on the same emulator: `make bench`.

Writes benchmarks/results.md and benchmarks/results.png.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.measure import cold_starts, inside, warm_calls
from benchmarks.sides import HERE, VENV, ours, plain
from scripts.local_cloud import BUCKET
from scripts.local_cloud.s3 import LocalS3
from scripts.make_forest import forest
from scripts.sample import MODELS, examples

WARM_CALLS = {"hello": 1000, "sonar": 500, "forest": 200}
COLD_MODELS = ("sonar", "forest")


def measure(cold: int, share: float) -> dict[str, Any]:
    """Run everything and return the samples.

    Args:
        cold: cold starts of each side and model.
        share: of the warm calls, to have a quick look with fewer.
    """
    models = {
        name: json.loads((MODELS / f"{name}.pfa").read_text("utf-8")) for name in ("hello", "sonar")
    } | {"forest": forest()}
    sides = (ours(), plain())
    results: dict[str, Any] = {"sizes": {side.name: side.size() for side in sides}}
    with ExitStack() as stack:
        logs = Path(tempfile.mkdtemp(prefix="benchmarks-"))
        stack.callback(shutil.rmtree, logs, ignore_errors=True)
        s3 = LocalS3(logs / "s3.log")
        stack.callback(s3.stop)
        s3.start()
        s3.wait()
        s3.create_bucket(BUCKET)
        for name, document in models.items():
            body = json.dumps(document, separators=(",", ":")).encode()
            s3.client.put_object(Bucket=BUCKET, Key=f"live/{name}.pfa", Body=body)
            record = examples(document)[0][0]
            found: dict[str, Any] = {}
            if name in COLD_MODELS:
                print(f"{name}: {cold} cold starts of each, by turns", flush=True)
                found["cold"] = cold_starts(sides, name, record, s3, logs, cold)
            calls = max(20, round(WARM_CALLS[name] * share))
            print(f"{name}: {calls} warm calls of each, by turns", flush=True)
            found["warm"] = warm_calls(sides, name, record, s3, logs, calls)
            print(f"{name}: {calls} calls timed within the runtime", flush=True)
            found["inside"] = inside(sides[0], name, record, s3, logs, calls)
            results[name] = found
    return results


def main() -> None:
    """Measure, print the table, write it and the plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cold", type=int, default=12, help="cold starts of each (12)")
    parser.add_argument("--share", type=float, default=1.0, help="share of the warm calls (1.0)")
    options = parser.parse_args()
    results = measure(options.cold, options.share)
    table = report.markdown(results)
    print(f"\n{table}")
    (HERE / "results.md").write_text(table, encoding="utf-8")
    plot(results)


def plot(results: dict[str, Any]) -> None:
    """Draw results.png with the Python that has matplotlib."""
    command = [str(VENV / "bin/python"), str(HERE / "plot.py"), str(HERE / "results.png")]
    env = os.environ | {"MPLBACKEND": "Agg"}
    subprocess.run(
        command, input=json.dumps(report.summary(results)), text=True, check=True, env=env
    )


if __name__ == "__main__":
    main()
