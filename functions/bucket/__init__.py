"""The bucket of models: keys, conditional GET and PUT, versions. Only here is botocore named.

models/<name>.pfa               what a data scientist uploads
models/<name>.routes.json
live/<name>.pfa                 what callers are answered from: the bytes of an upload that passed
live/<name>.artifact            the same, compiled ahead of time
live/<name>.routes.json
reports/<name>/<version>.json   what the gate found in the upload of that S3 version id

The metadata of a live document say where it is from:

sha256             of the document's bytes, hexadecimal
source-version     S3 version id of the upload
engine             what checked it, `pfa.VERSION`
examples           how many examples it passed
largest-error      the largest relative error of their numbers
artifact-key       what the artifact is good for, `pfa.artifact_key()`
artifact-version   S3 version id of the artifact; "" if the document has none

A GET or a listing ends within a stated time, whatever S3 does.
"""

from bucket.answers import (
    BucketError,
    ConflictError,
    Document,
    Head,
    Listed,
    MissingError,
    RefusedError,
    TooLargeError,
    Unchanged,
)
from bucket.client import make_client
from bucket.names import (
    ARTIFACT_SUFFIX,
    LIVE_PREFIX,
    NAME,
    REPORT_PREFIX,
    ROUTES_SUFFIX,
    SUFFIX,
    UPLOAD_PREFIX,
    VERSION,
    is_model_name,
    key_of,
    live_key,
    report_key,
)
from bucket.objects import MAX_DOCUMENT_BYTES, Bucket

__all__ = [
    "ARTIFACT_SUFFIX",
    "LIVE_PREFIX",
    "MAX_DOCUMENT_BYTES",
    "NAME",
    "REPORT_PREFIX",
    "ROUTES_SUFFIX",
    "SUFFIX",
    "UPLOAD_PREFIX",
    "VERSION",
    "Bucket",
    "BucketError",
    "ConflictError",
    "Document",
    "Head",
    "Listed",
    "MissingError",
    "RefusedError",
    "TooLargeError",
    "Unchanged",
    "is_model_name",
    "key_of",
    "live_key",
    "make_client",
    "report_key",
]
