"""`make live`: which models are live, since when, from which upload, and the last verdict.

Reads the bucket (see scripts/stack.py for where); nothing is changed. Ends with 0, or 1 if the
bucket cannot be read.
"""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from scripts.stack import StackError, place

from bucket import (  # isort: skip - scripts.stack says where it is
    SUFFIX,
    UPLOAD_PREFIX,
    Bucket,
    BucketError,
    is_model_name,
    key_of,
    live_key,
    make_client,
    report_key,
)

HEADINGS = ("MODEL", "LIVE SINCE", "VERSION", "FROM UPLOAD", "EXAMPLES", "LAST VERDICT")
WAITING = "none yet"


@dataclass(frozen=True)
class Row:
    """One model: what is live ("-" if nothing is), and what became of its newest upload."""

    name: str
    since: str
    version: str
    source: str
    examples: str
    verdict: str
    why: str  # the newest upload was rejected for

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        return (self.name, self.since, self.version, self.source, self.examples, self.verdict)


def row(bucket: Bucket, name: str) -> Row:
    """Look at one model. BucketError."""
    live = bucket.head(live_key(name))
    since = version = source = examples = "-"
    if live:
        since, version = _time(live.modified), live.version
        source = live.metadata.get("source-version") or "-"
        examples = live.metadata.get("examples", "-")
        if "rolled-back-to" in live.metadata:
            source += " (rolled back)"
    verdict, why = "-", ""
    newest = bucket.head(key_of(UPLOAD_PREFIX, name, SUFFIX))
    if newest:
        place_of_report = report_key(name, newest.version)
        report = bucket.head(place_of_report)
        word = report.metadata.get("verdict", "?") if report else WAITING
        verdict = f"{word}, {_time(report.modified if report else newest.modified)}"
        if word == "rejected":
            why = _why(bucket.get(place_of_report).body)
    return Row(name, since, version, source, examples, verdict, why)


def _why(report: bytes) -> str:
    failed = [it for it in json.loads(report)["findings"] if it["status"] == "failed"]
    return "; ".join(f"{it['check']}: {it['message']}" for it in failed)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _uploaded(bucket: Bucket) -> Iterator[str]:
    """Give the names of all models that were uploaded, also where none passed."""
    pages = bucket.client.get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=bucket.name, Prefix=UPLOAD_PREFIX):
        for item in page.get("Contents", []):
            name = item["Key"].removeprefix(UPLOAD_PREFIX).removesuffix(SUFFIX)
            if item["Key"].endswith(SUFFIX) and is_model_name(name):
                yield name


def rows(bucket: Bucket) -> list[Row]:
    """Look at all models, in the order of their names. BucketError."""
    names = sorted({*bucket.names(1_000_000), *_uploaded(bucket)})
    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(lambda name: row(bucket, name), names))


def table(found: list[Row]) -> str:
    """Return the rows as a text, with the reasons of rejections below."""
    if not found:
        return "There are no models."
    lines = [HEADINGS, *(item.cells for item in found)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    text += [
        f"\n{item.name}: the last upload is not live. {item.why}" for item in found if item.why
    ]
    return "\n".join(text)


def main() -> int:
    """Print the table; return the exit code."""
    try:
        bucket = Bucket(
            place(("MODEL_BUCKET", "BUCKET"), "Bucket"), make_client(5.0, 20.0, 3), 60.0
        )
        print(table(rows(bucket)))
    except (StackError, BucketError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
