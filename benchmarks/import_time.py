"""CPU time of ``import pfa`` against stock titus2's ``import titus.genpy``.

    python -m benchmarks.import_time [rounds]

Stock titus2 gets only the two names without which it does not import at all, numpy.float_ and
inspect.getargspec. Each import runs in a fresh process, in turns, with bytecode on disk for both;
the median counts. Ends with status 1 if ours takes more than half of stock's.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIMIT = 0.5

PROGRAMS = {
    "stock: import titus.genpy": """
import inspect, numpy
numpy.float_, inspect.getargspec = numpy.float64, inspect.getfullargspec
import titus.genpy
""",
    "import pfa": "import pfa",
    "import pfa.compat, without the rest of pfa": """
import sys, types
sys.modules["pfa"] = types.ModuleType("pfa")
sys.modules["pfa"].__path__ = [sys.path.pop(0) + "/pfa"]
import pfa.compat
""",
}
_TIMED = """
import sys, time
sys.path.insert(0, {functions!r})
start = time.process_time()
{program}
print(time.process_time() - start)
"""


def cpu_seconds(program: str) -> float:
    """Run a program in a fresh process; give the CPU time that it takes, in seconds."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(ROOT / ".cache" / "import_time")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    timed = _TIMED.format(functions=str(ROOT / "functions"), program=program)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", timed],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def main() -> int:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    for program in PROGRAMS.values():
        cpu_seconds(program)  # writes the bytecode
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(rounds):
        for name, program in PROGRAMS.items():
            times[name].append(cpu_seconds(program))
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    stock = medians["stock: import titus.genpy"]
    for name, seconds in medians.items():
        print(f"{name:44} {seconds * 1000:6.1f} ms CPU  {seconds / stock:5.2f}")
    return 0 if medians["import pfa"] <= LIMIT * stock else 1


if __name__ == "__main__":
    sys.exit(main())
