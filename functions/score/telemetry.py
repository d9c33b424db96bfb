"""What the score function tells its operators: JSON log lines and CloudWatch metrics (EMF).

No record, no part of one and no answer is ever logged. Text that came with a request appears only
as the value of a field, never inside a message.
"""

from __future__ import annotations

import os

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME") or "pfa-score"
NAMESPACE = os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or "PfaScore"

logger = Logger(service=SERVICE, log_uncaught_exceptions=False, utc=True)
metrics = Metrics(service=SERVICE, namespace=NAMESPACE)  # of one request, flushed at its end


def report(metric: str, model: str, value: float = 1, unit: MetricUnit = MetricUnit.Count) -> None:
    """Write one metric of one known model at once, apart from the metrics of the request.

    A request for one model may load it, fail to refresh it and push out another; each of these has
    its own model dimension, and EMF has one set of dimensions a line.
    """
    with single_metric(
        name=metric,
        unit=unit,
        value=value,
        namespace=NAMESPACE,
        default_dimensions={"service": SERVICE, "model": model},
    ):
        pass
