import pytest

from tests.titus_suite import run


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_every_test_in_the_source_distribution_passes(engine):
    done = run.run(run.downloaded(), engine)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert run.passed(done.stdout) == 283
    assert "failed" not in done.stdout
