"""Write fitted models as PFA documents, with proof that they answer the same.

    from exporters import to_pfa, write_pfa
    write_pfa(to_pfa(model, X, name="churn"), "churn.pfa")

scikit-learn, XGBoost, LightGBM and pyspark are needed only for models of theirs; R has
exporters/r/export.R.
"""

# ruff: noqa: E402 - the engine that proves them is beside this package, in what ships to Lambda

import sys
from pathlib import Path

_ENGINE = str(Path(__file__).resolve().parents[1] / "functions")
if _ENGINE not in sys.path:
    sys.path.append(_ENGINE)

from exporters.errors import ExportError, ParityError, UnsupportedError
from exporters.export import to_pfa, write_pfa
from exporters.supported import SUPPORTED

__all__ = [
    "SUPPORTED",
    "ExportError",
    "ParityError",
    "UnsupportedError",
    "to_pfa",
    "write_pfa",
]
