"""Small models must not pay for numpy: 57 ms to import, and 20 MB."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
KERNELS = ["linear", "link", "density", "bayes", "cluster", "matrix", "network", "prepared"]


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'functions'}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_and_making_a_kernel_loads_neither_numpy_nor_titus():
    modules = "".join(f"import pfa.kernels.{name}\n" for name in KERNELS)
    program = f"""
import sys, types
package = types.ModuleType("pfa")  # without what pfa itself imports
package.__path__ = ["functions/pfa"]
sys.modules["pfa"] = package
{modules}
call = ("model.reg.linear", None, "[]")
from pfa.kernels.prepared import remade
assert remade(("pfa.kernels.linear", "of_constants", ([2.0], 1.0, call)))([3.0]) == 7.0
print([name for name in ("numpy", "titus", "avro") if name in sys.modules])
"""
    assert run(program).strip() == "[]"


@pytest.mark.parametrize(
    "name", ["boston_lm", "pima_glm", "iris_kmeans", "sonar_nb", "sonar_nb_prob"]
)
def test_scoring_loads_no_numpy(name):
    program = f"""
import json, sys
from pfa.compiler import engine
model = engine(open("data/r_models/{name}.pfa").read())
model.begin()
for value in json.load(open("data/r_models/{name}.cases.json"))["inputs"][:5]:
    model.action(value)
print(model.fallback, "numpy" in sys.modules)
"""
    assert run(program).strip() == "None False"


def test_linear_discriminants_load_no_numpy():
    program = """
import sys
from pfa.compiler import engine
from tests.pfa.kernels.discriminants import DOCUMENT, INPUTS
model = engine(DOCUMENT)
for value in INPUTS:
    model.action(value)
print(model.fallback, "numpy" in sys.modules)
"""
    assert run(program).strip() == "None False"
