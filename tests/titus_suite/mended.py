"""A pytest plugin that loads titus mended, before titus2's tests import it.

With TITUS_SUITE_ENGINE=compiled in the environment, PFAEngine makes compiled engines, and cannot
fall back to its own.
"""

import os

import pfa.compat  # noqa: F401

if os.environ.get("TITUS_SUITE_ENGINE") == "compiled":
    from pfa.compat import tags
    from pfa.compat.loader import load
    from pfa.compiler.task import Lowering

    genpy = load("titus.genpy")
    stock = genpy.PFAEngine.fromAst

    def from_ast(config, options=None, version=None, shared=None, multiplicity=1, style="pure",
                 debug=False):  # fmt: skip
        lowering = Lowering(config, False)
        engines = stock(config, options, version, shared, multiplicity, lowering)
        for name, variable in lowering.read_cells.items():  # as pfa.compiler.compiled does
            type(engines[0]).program.namespace[variable] = engines[0].cells[name].value
        return engines

    genpy.PFAEngine.fromAst = staticmethod(from_ast)  # fromJson and fromYaml call it
    # titus2's tests want some values of unions bare
    tags.add_tags = lambda *_: None
