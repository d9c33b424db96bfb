"""A pytest plugin that loads titus mended, before titus2's tests import it."""

import pfa.compat  # noqa: F401
