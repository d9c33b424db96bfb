"""`make serve`: the local cloud with the sample models, until Ctrl-C."""

import json
import os
import shlex
import signal

from scripts.local_cloud import LocalCloud
from scripts.local_cloud.s3 import CREDENTIALS
from scripts.local_cloud.template import REGION
from scripts.sample_cloud import examples, run, sample_cloud, sample_models

# Short enough to copy: sonar's record has 60 fields.
MAX_RECORD_CHARACTERS = 200


def score_lines(cloud: LocalCloud) -> list[str]:
    """Return a curl command for each sample model with a short record."""
    lines = []
    for name, document in sample_models().items():
        record = json.dumps(next((item["input"] for item in examples(document)), None))
        if record != "null" and len(record) <= MAX_RECORD_CHARACTERS:
            lines.append(
                f"curl -s -H {shlex.quote(f'x-api-key: {cloud.api_key}')}"
                " -H 'content-type: application/json'"
                f" -d {shlex.quote(record)} {cloud.url}/models/{name}/score"
            )
    return lines


def roll_line(cloud: LocalCloud) -> str:
    """Return a curl command that puts a document into the bucket.

    It is signed: moto takes an object from anybody, but lets no anonymous caller replace one.
    """
    user = ":".join(CREDENTIALS.values())
    return (
        f"curl -sS --fail --user {user} --aws-sigv4 aws:amz:{REGION}:s3"
        f" -T models/hello.pfa {cloud.s3.url}/{cloud.bucket}/live/hello.pfa"
    )


def main() -> int:
    """Start everything, say how to use it, and wait for Ctrl-C. PORT sets the API's port."""
    with sample_cloud(int(os.environ.get("PORT", "0"))) as cloud:
        ttl = cloud.pool.env.get("MODEL_TTL_SECONDS", "60")
        print(f"\n  URL      {cloud.url}")
        print(f"  API key  {cloud.api_key}")
        print(f"  S3       {cloud.s3.url}, bucket {cloud.bucket}, models under live/")
        print("\n  For the commands of the README, in another terminal:\n")
        print(f"export URL={cloud.url} KEY={cloud.api_key}")
        print("\n  Score a record:\n")
        print("\n".join(score_lines(cloud)))
        print(f"\n  Roll a model; the new one answers within {ttl} s:\n")
        print(roll_line(cloud))
        print("\n  Ctrl-C stops it all.", flush=True)
        while True:
            signal.pause()


if __name__ == "__main__":
    run(main)
