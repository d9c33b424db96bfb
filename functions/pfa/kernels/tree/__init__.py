"""model.tree: decision trees, and forests of them.

A constant tree is lowered to plain data when the document is loaded (``lower``), and a walk is made
of that (``walk``); the tree is never decoded. Other trees are walked as they come (``direct``).

For a forest, a whole ``a.map`` over a constant cell whose function is one call of this module::

    {"a.map": [{"cell": "forest"}, {"params": [{"tree": "TreeNode"}], "ret": "double",
               "do": {"model.tree.simpleTree": ["input", "tree"]}}]}

``forest(site, trees)`` with the site of the inner call, and the cell's parsed JSON, gives a
function of the record: the list of all answers. The caller sees to it that the site's first
argument is not made of the function's parameter, and that its second is the parameter.

Every function here has a ``recipe`` (see pfa.kernels.prepared) of data that marshal can write.
That of a forest is ``(module, name, (data,))``: ``data["fields"]`` are the names of the fields
that its trees compare, and ``walk.walker(data)`` is a function of the tuple of their values, for
records of which no dict is made. A value that may be missing is None or bare there.
"""

from collections.abc import Callable
from typing import Any

from pfa.forest import Forest
from pfa.kernels.prepared import call_of, made
from pfa.kernels.tree import direct
from pfa.kernels.tree.lower import lower
from pfa.kernels.tree.shape import Walk, walk_of
from pfa.kernels.tree.text import lower_forest
from pfa.kernels.tree.walk import all_trees, one_of_fields, one_tree
from pfa.specialise import MISSING, Site, inline, kernel

MOST_FIELDS = 15  # a record of more is read faster as a whole


def forest(site: Site, trees: list[Any] | Forest) -> Callable[[Any], list[Any]] | None:
    """Return a function of a record: the answers of all trees, in order.

    Its ``short`` is how it is called with fields in place of a record, if there is a way.

    Args:
        site: a call of simpleTree, simpleWalk or missingWalk.
        trees: parsed JSON of the root nodes, or what a large text of them was read as.

    None if titus's own function has to walk, or to refuse, them.
    """
    walk = walk_of(site)
    if walk is None:
        return None
    data = None
    if isinstance(trees, Forest):
        data = lower_forest(walk, trees)
        trees = trees.value() if data is None else []
    if data is None and type(trees) is list:
        data = lower(walk, trees)
    if data is None:
        return None
    function = made(all_trees, data)
    function.short = of_fields(site, walk, data, function.of_fields)
    return function  # type: ignore[no-any-return]


def of_fields(site: Site, walk: Walk, data: Any, function: Any) -> str | None:
    """Write what calls a function of the fields of ``{0}``, a record with few: see Site.bind."""
    fields = data["fields"]
    if not fields or len(walk.datum.fields) > MOST_FIELDS:
        return None
    values = "".join(f"{{0}}[{name!r}], " for name in fields)
    return f"{site.bind('of_fields', function)}(({values}))"


@inline("model.tree.simpleTree", "model.tree.simpleWalk", "model.tree.missingWalk")
def _tree(site: Site) -> str:
    walk = walk_of(site)
    if walk is None:
        walks = direct.missing_walk if site.name.endswith("missingWalk") else direct.simple_walk
        predicate = site.function(2).name
        name = site.bind(site.name.rpartition(".")[2], made(walks, site.types[1].name))
        return f"{name}({site.args[0]}, {site.args[1]}, {predicate})"
    parsed = site.parsed(1)
    data = None if parsed is MISSING else lower(walk, [parsed])
    if data is not None:
        hint, short = site.name.rpartition(".")[2], None
        if "trees" in data:
            short = of_fields(site, walk, data, made(one_of_fields, data))
        return f"{site.bind(hint, made(one_tree, data), short)}({site.args[0]})"
    maker = direct.missing_tree if walk.three_way else direct.tree
    function = made(maker, walk.call, direct.numeric_fields(walk), walk.node.name)
    return f"{site.bind(site.name.rpartition('.')[2], function)}({site.args[0]}, {site.args[1]})"


@kernel("model.tree.simpleTest", "model.tree.missingTest")
def _test(site: Site) -> Callable[..., Any]:
    walk = Walk(call_of(site), site.types[0], site.types[1])
    maker = direct.tagged if walk.missing else direct.compare
    return made(maker, walk.call, direct.numeric_fields(walk))  # type: ignore[no-any-return]


@inline("model.tree.compoundTest", "model.tree.surrogateTest")
def _tests(site: Site) -> str:
    is_compound = site.name.endswith("compoundTest")
    maker = direct.compound_test if is_compound else direct.surrogate_test
    predicate = site.function(len(site.types) - 1).name
    function = site.bind(site.name.rpartition(".")[2], made(maker, call_of(site)))
    return f"{function}({', '.join(site.args[:-1])}, {predicate})"
