"""docs/build.md states how large the function is."""

import pytest

from scripts.build import build
from scripts.build_size import ARCHITECTURES, TOTAL, sizes, stated

LIMIT = 250e6  # bytes, Lambda's for an unzipped function


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_stated_sizes_are_the_built_ones(architecture: str) -> None:
    column = 2 * ARCHITECTURES.index(architecture)
    found = sizes(build(architecture))
    assert found.keys() == stated().keys()
    for component, row in stated().items():
        unzipped, zipped = (size / 1e6 for size in found[component])
        # The function grows with every change; a twentieth of it, or 0.1 MB, is no news.
        assert row[column] == pytest.approx(unzipped, rel=0.05, abs=0.1), component
        assert row[column + 1] == pytest.approx(zipped, rel=0.05, abs=0.1), component


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_is_far_below_lambda_s_limit(architecture: str) -> None:
    assert sizes(build(architecture))[TOTAL][0] < LIMIT / 3
