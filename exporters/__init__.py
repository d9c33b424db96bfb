"""Write fitted models as PFA documents, with proof that they answer the same.

    from exporters import to_pfa, write_pfa
    write_pfa(to_pfa(model, X, name="churn"), "churn.pfa")

scikit-learn, XGBoost and LightGBM are needed only for models of theirs.
"""

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
