"""Time zones are there, whatever happens when the first of them is asked for."""

import subprocess
import sys
from pathlib import Path

FUNCTIONS = Path(__file__).parents[3] / "functions"

CODE = """
import time
import pfa, pytz
of = {"time.hourOfDay": ["input", ["Europe/Berlin"]]}
model = pfa.load({"input": "double", "output": "int", "action": of})
exists, asked = pytz.resource_exists, []

def slow(name):
    asked.append(name)
    if len(asked) == 100:
        time.sleep(0.4)
    return exists(name)

pytz.resource_exists = slow
model.score_batch([0.0], timeout=0.3)
print(model.score(0.0))
"""


def test_the_time_is_up_while_the_list_of_zones_is_made() -> None:
    run = [sys.executable, "-c", CODE]
    done = subprocess.run(run, cwd=FUNCTIONS, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
