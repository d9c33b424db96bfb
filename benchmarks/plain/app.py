"""The plain way: the model is loaded at import, the record goes straight to the engine."""

import inspect
import os

import boto3
import numpy

# titus2 1.2.0 cannot be imported on Python 3.13 with numpy 2 without these two.
inspect.getargspec = inspect.getfullargspec
numpy.float_ = numpy.float64

from titus.genpy import PFAEngine  # noqa: E402

s3 = boto3.client("s3")
model = s3.get_object(Bucket=os.environ["MODEL_BUCKET"], Key=os.environ["MODEL_KEY"])
(engine,) = PFAEngine.fromJson(model["Body"].read().decode())


def handler(event, _context):
    """Score one record."""
    return engine.action(event)
