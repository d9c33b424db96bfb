"""A process of its own for documents and records that may take a process with them."""

import json
import subprocess
import sys
from pathlib import Path

import pfa

FUNCTIONS = Path(pfa.__file__).parents[1]
TIMEOUT = 0.3  # seconds that a call may take
LATE = 10  # seconds; what has no end ends by then on however slow a machine
MEMORY = 400 << 20  # bytes, of which half is taken when the first model is loaded

WORKER = """
import json, sys, time
import pfa
from pfa.memory import limit_memory

limit_memory(int(sys.argv[1]))
plain = pfa.load({"input": "int", "output": "int", "action": {"+": ["input", 1]}})


def told(error):
    return {"error": type(error).__name__, "message": str(error)}


def score(model, record, timeout):
    try:
        return {"answer": model.score(record, timeout=timeout)}
    except pfa.PfaError as error:
        return told(error)


for line in sys.stdin:
    document, record, timeout = json.loads(line)
    began = time.monotonic()
    try:
        model = pfa.load(document)
    except pfa.DocumentError as error:
        out = {"fallback": None, "answers": [told(error)]}
    else:
        answers = [score(model, record, timeout)]
        for each in model.score_batch([record, record], timeout=timeout):
            answers.append(told(each) if isinstance(each, pfa.PfaError) else {"answer": each})
        out = {"fallback": model.fallback, "answers": answers}
        del model, each
    out["next"] = [plain.score(1, timeout=5), *plain.score_batch([2, 3], timeout=5)]
    out["seconds"] = time.monotonic() - began
    print(json.dumps(out), flush=True)
"""


class Worker:
    """A process that loads documents and scores records, one after the other."""

    process = None

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", WORKER, str(MEMORY)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": str(FUNCTIONS)},
            text=True,
        )

    def run(self, document, record, timeout):
        """Load a document, score the record alone and twice in a batch; give what came of it."""
        text = document if isinstance(document, str) else json.dumps(document)
        if self.process is None or self.process.poll() is not None:
            self.start()
        self.process.stdin.write(json.dumps([text, record, timeout]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the process ended: {self.process.wait()}"
        return json.loads(line)

    def stop(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait(10)
            self.process.stdout.close()


def kinds(got):
    """The kinds of error among all answers; "" of an answer that is none."""
    return {each.get("error", "") for each in got["answers"]}


def document(*action, **parts):
    return {"input": "int", "output": "int", "action": [*action, "input"], **parts}


def function(params, ret, *do):
    return {"params": [{name: of} for name, of in params.items()], "ret": ret, "do": list(do)}


def nested(times, wrap, inner):
    for _ in range(times):
        inner = wrap(inner)
    return inner
