"""`make demo`: the sample models answer over HTTP through the real Lambda runtime."""

import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import httpx

from scripts.local_cloud import ROOT, LocalCloud
from scripts.sample_cloud import agree, examples, run, sample_cloud, sample_models, step

EVENT = ROOT / "events" / "sonar.json"


@dataclass
class Result:
    """How one model did on its examples."""

    name: str
    version: str
    first_ms: float
    warm_ms: float
    agreed: int
    count: int
    shown: tuple[Any, Any, Any]  # input, answer, expected: the first that disagrees, or the first

    @property
    def ok(self) -> bool:
        """Whether there were examples and every answer agrees."""
        return self.agreed == self.count > 0


def post(client: httpx.Client, path: str, record: Any) -> tuple[httpx.Response, float]:
    """POST a record; return the answer and the milliseconds that it took."""
    start = time.perf_counter()
    response = client.post(path, json=record)
    return response, (time.perf_counter() - start) * 1000


def score_examples(client: httpx.Client, name: str, document: bytes) -> Result:
    """Score every example of one model."""
    times: list[float] = []
    tried: list[tuple[bool, tuple[Any, Any, Any]]] = []
    version = "-"
    for example in examples(document):
        response, elapsed = post(client, f"/models/{name}/score", example["input"])
        times.append(elapsed)
        version = response.headers.get("x-model-version", "-")
        answer = response.json()
        right = response.status_code == 200 and agree(answer, example["expected"])
        tried.append((right, (example["input"], answer, example["expected"])))
    if not tried:
        raise ValueError(f"{name}: the document holds no examples")
    shown = next((values for right, values in tried if not right), tried[0][1])
    warm = sorted(times[1:] or times)
    return Result(
        name=name,
        version=version,
        first_ms=times[0],
        warm_ms=warm[len(warm) // 2],
        agreed=sum(right for right, _ in tried),
        count=len(tried),
        shown=shown,
    )


def short(value: Any, width: int) -> str:
    """Return a value as JSON, cut to `width` characters."""
    text = json.dumps(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def table(results: list[Result]) -> str:
    """Return the results as an aligned table."""
    head = ("model", "version", "first", "warm", "agree", "input", "answer", "expected")
    rows = [
        (
            result.name,
            result.version[:8],
            f"{result.first_ms:.0f} ms",
            f"{result.warm_ms:.1f} ms",
            f"{result.agreed}/{result.count}",
            *(short(value, width) for value, width in zip(result.shown, (24, 44, 44), strict=True)),
        )
        for result in results
    ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    right = {"first", "warm", "agree"}
    lines = [
        "  ".join(
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(head, row, widths, strict=True)
        ).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join(f"  {line}" for line in lines)


def score_event(client: httpx.Client) -> bool:
    """POST the record of events/sonar.json and print the answer next to R's own prediction."""
    event = json.loads(EVENT.read_text())
    record = json.loads(event["body"])
    known = examples(sample_models()["sonar"])
    expected = next((item["expected"] for item in known if item["input"] == record), None)
    response, elapsed = post(client, event["path"], record)
    right = response.status_code == 200 and agree(response.json(), expected)
    print(f"\n  POST {event['path']} with the record of events/{EVENT.name}")
    print(f"    status   {response.status_code} in {elapsed:.0f} ms, the cold start in it")
    print(f"    version  {response.headers.get('x-model-version', '-')}")
    print(f"    answer   {response.text}")
    print(f"    R says   {json.dumps(expected)}{'' if right else '   <- they differ'}\n")
    return right


def score_all(cloud: LocalCloud) -> bool:
    """Score the event and all examples, print what came out; return whether all agree."""
    headers = {"x-api-key": cloud.api_key}
    with httpx.Client(base_url=cloud.url, headers=headers, timeout=60, trust_env=False) as client:
        right = score_event(client)
        with step("score the examples of all models"):
            results = [
                score_examples(client, name, document) for name, document in sample_models().items()
            ]
    print(f"\n{table(results)}\n")
    wrong = [result.name for result in results if not result.ok]
    if wrong:
        print(f"error: not as expected: {', '.join(wrong)}", file=sys.stderr)
        errors = [line for line in cloud.pool.logs().splitlines() if "ERROR" in line]
        print("\n".join(errors[-5:]), file=sys.stderr)
    return right and not wrong


def main() -> int:
    """Run the demo; return 0 if every answer agrees with the library that made the model."""
    start = time.perf_counter()
    with sample_cloud() as cloud:
        right = score_all(cloud)
    print(f"  done in {time.perf_counter() - start:.1f} s; everything is stopped")
    return 0 if right else 1


if __name__ == "__main__":
    run(main)
