"""`make serve`: the local cloud with the sample models, until Ctrl-C."""

import json
import os
import shlex
import signal

from scripts.local_cloud import GATE, LocalCloud
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


def export_lines(cloud: LocalCloud) -> list[str]:
    """Return what the commands of the README, the AWS CLI and `make rollback` are told by."""
    aws = {
        "AWS_ENDPOINT_URL_S3": cloud.s3.url,
        "AWS_ENDPOINT_URL_LAMBDA": cloud.lambda_url,
        "AWS_DEFAULT_REGION": REGION,
        **CREDENTIALS,
    }
    return [
        f"export URL={cloud.url} KEY={cloud.api_key} BUCKET={cloud.bucket} FUNCTION={GATE}",
        "export " + " ".join(f"{name}={value}" for name, value in aws.items()),
    ]


def upload_line(cloud: LocalCloud) -> str:
    """Return a curl command that uploads a model.

    It is signed: moto takes an object from anybody, but lets no anonymous caller replace one.
    """
    user = ":".join(CREDENTIALS.values())
    return (
        f"curl -sS --fail --user {user} --aws-sigv4 aws:amz:{REGION}:s3"
        f" -T models/hello.pfa {cloud.s3.url}/{cloud.bucket}/models/hello.pfa"
    )


def main() -> int:
    """Start everything, say how to use it, and wait for Ctrl-C. PORT sets the API's port."""
    with sample_cloud(int(os.environ.get("PORT", "0"))) as cloud:
        ttl = cloud.pool.env.get("MODEL_TTL_SECONDS", "60")
        print(f"\n  URL      {cloud.url}")
        print(f"  API key  {cloud.api_key}")
        print(f"  S3       {cloud.s3.url}, bucket {cloud.bucket}, uploads under models/")
        print("\n  For the commands of the README and below, in another terminal:\n")
        print("\n".join(export_lines(cloud)))
        print("\n  Score a record:\n")
        print("\n".join(score_lines(cloud)))
        print(f"\n  Roll a model; if the gate lets it pass, it answers within {ttl} s:\n")
        print(f"aws s3 cp models/hello.pfa s3://{cloud.bucket}/models/hello.pfa")
        print("\n  The same without the AWS CLI:\n")
        print(upload_line(cloud))
        print("\n  See what is live and what the gate found; its reports, one for each upload:\n")
        print("make live")
        print(f"aws s3 cp --recursive s3://{cloud.bucket}/reports/ reports/")
        print("\n  Go back to the version before:\n")
        print("make rollback MODEL=hello")
        print("\n  Ctrl-C stops it all.", flush=True)
        while True:
            signal.pause()


if __name__ == "__main__":
    run(main)
