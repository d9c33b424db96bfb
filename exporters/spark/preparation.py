"""What Spark does to columns before a model: each function returns the columns that a stage makes.

A column is a list of features: one, or those of a vector. Formulas: Spark's guide of MLlib,
"Extracting, transforming and selecting features".
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from exporters.document import DOUBLES, Document, Feature
from exporters.errors import UnsupportedError
from exporters.scikit_learn.categories import FAILS, looked_up
from exporters.scikit_learn.nonlinear import position
from exporters.scikit_learn.preparation import each_feature
from exporters.spark.stages import given, makes, reads

Columns = Mapping[str, list[Feature]]
REFUSED = -5  # error of a document: a number that the model does not take


def _pairs(stage: Any, columns: Columns) -> list[tuple[list[Feature], str]]:
    """Return the features of each column that a stage reads, and what it calls what it makes."""
    return list(zip((columns[name] for name in reads(stage)), makes(stage), strict=True))


def assembled(stage: Any, columns: Columns, document: Document) -> dict[str, list[Feature]]:
    """All columns as one vector."""
    del document
    made = [feature for name in reads(stage) for feature in columns[name]]
    missing = [feature.name for feature in made if feature.nullable]
    if missing and stage.getHandleInvalid() != "keep":
        raise UnsupportedError(
            f"{missing[0]!r} has missing values: put an Imputer before the VectorAssembler."
        )
    return {makes(stage)[0]: made}


def indexed(stage: Any, columns: Columns, document: Document) -> dict[str, list[Feature]]:
    """The place of a text among those of the training data, of which the most frequent is 0."""
    made = {}
    for place, ((feature,), name) in enumerate(_pairs(stage, columns)):
        texts = list(stage.labelsArray[place])
        numbers = [float(i) for i in range(len(texts))]
        keep = stage.getHandleInvalid() == "keep"
        unknown = float(len(texts)) if keep else FAILS
        categories = np.asarray([_category(text, feature) for text in texts], dtype=object)
        value = looked_up(document, feature, categories, numbers, unknown, "double")
        made[name] = [Feature(feature.name, document.let(f"{feature.name}_index", value))]
    return made


def _category(text: str, feature: Feature) -> Any:
    """Return the number that Spark has made a text of, as Java writes it."""
    return {"long": int, "double": float}.get(feature.type, str)(text)


def one_hot(stage: Any, columns: Columns, document: Document) -> dict[str, list[Feature]]:
    """1 for the category that a number is, 0 for the others; the last one may be left out."""
    made = {}
    keep, drop = stage.getHandleInvalid() == "keep", stage.getDropLast()
    for ((feature,), name), count in zip(_pairs(stage, columns), stage.categorySizes, strict=True):
        size = count + keep - drop
        x = document.number(feature)
        unknown: Any = {"error": f"{feature.name} is of a category that is not known", "code": -3}
        inside = {"&&": [{">=": [x, 0.0]}, {"<": [x, float(count)]}]}
        place = {
            "if": inside,
            "then": {"cast.int": [x]},
            "else": int(count) if keep else unknown,
        }
        found = document.let(f"{feature.name}_place", place)
        hot = {"cast.fanoutDouble": [found, 0, int(size), False]}
        variable = document.let(f"{feature.name}_onehot", hot)
        made[name] = document.elements(variable, [f"{feature.name}_{i}" for i in range(size)])
    return made


def standard_scaler(stage: Any, columns: Columns, document: Document) -> dict[str, list[Feature]]:
    """(x - mean) times the inverse of the deviation, which is 0 for a constant."""
    ((features, name),) = _pairs(stage, columns)
    deviation = stage.std.toArray() if stage.getWithStd() else np.ones(len(features))
    with np.errstate(divide="ignore"):
        factor = np.where(deviation != 0, 1 / deviation, 0.0)
    mean = stage.mean.toArray() if stage.getWithMean() else np.zeros(len(features))
    found = {"mean": mean, "factor": factor}
    made = each_feature(document, features, "standard", found, _centred)
    return {name: made}


def _centred(x: Any, mean: Any, factor: Any) -> Any:
    return {"*": [{"-": [x, mean]}, factor]}


def min_max_scaler(stage: Any, columns: Columns, document: Document) -> dict[str, list[Feature]]:
    """(x - least) * scale + min; the middle for a constant."""
    ((features, name),) = _pairs(stage, columns)
    least, most = stage.originalMin.toArray(), stage.originalMax.toArray()
    low, high = stage.getMin(), stage.getMax()
    with np.errstate(divide="ignore"):
        scale = np.where(most != least, (high - low) / (most - least), 0.0)
    offset = np.where(most != least, low, (low + high) / 2)
    found = {"least": least, "scale": scale, "offset": offset}
    made = each_feature(
        document, features, "minmax", found, lambda x, a, b, c: {"+": [_centred(x, a, b), c]}
    )
    return {name: made}


def max_abs_scaler(stage: Any, columns: Columns, document: Document) -> dict[str, list[Feature]]:
    """x over the largest size; a constant 0 stays."""
    ((features, name),) = _pairs(stage, columns)
    largest = stage.maxAbs.toArray()
    found = {"scale": np.where(largest == 0, 1.0, largest)}
    made = each_feature(document, features, "maxabs", found, lambda x, a: {"/": [x, a]})
    return {name: made}


def bucketizer(stage: Any, columns: Columns, document: Document) -> dict[str, list[Feature]]:
    """The number of the bucket: each has its lower end, and the last one its upper end too."""
    several = given(stage, "splitsArray")
    reached = position(document, "reached", "<=")
    keep = stage.getHandleInvalid() == "keep"
    made = {}
    for place, ((feature,), name) in enumerate(_pairs(stage, columns)):
        splits = list(several[place] if several is not None else stage.getSplits())
        edges = document.cell(f"{feature.name}_splits", DOUBLES, splits[1:-1])
        known = Feature(feature.name, "known" if feature.nullable else feature.value, feature.type)
        x = document.number(known)
        value: Any = {"cast.double": [{reached: [x, edges]}]}
        outside = [
            {operator: [x, end]}
            for operator, end in (("<", splits[0]), (">", splits[-1]))
            if np.isfinite(end)
        ]
        if outside:
            error = {"error": f"{feature.name} is in none of the buckets", "code": REFUSED}
            test = outside[0] if len(outside) == 1 else {"||": outside}
            value = {"if": test, "then": error, "else": value}
        if feature.nullable:
            if not keep:
                raise UnsupportedError(
                    f"{feature.name!r} has missing values: Bucketizer(handleInvalid='keep')."
                )
            value = {
                "ifnotnull": {"known": feature.value},
                "then": value,
                "else": float(len(splits) - 1),
            }
        made[name] = [Feature(feature.name, document.let(f"{feature.name}_bucket", value))]
    return made


def binarizer(stage: Any, columns: Columns, document: Document) -> dict[str, list[Feature]]:
    """1 above the threshold, else 0."""
    several = given(stage, "thresholds") if given(stage, "inputCols") else None
    made = {}
    for place, (features, name) in enumerate(_pairs(stage, columns)):
        threshold = several[place] if several is not None else stage.getThreshold()
        made[name] = each_feature(
            document,
            features,
            "binary",
            {"threshold": np.full(len(features), float(threshold))},
            lambda x, least: {"if": {">": [x, least]}, "then": 1.0, "else": 0.0},
        )
    return made


def imputer(stage: Any, columns: Columns, document: Document) -> dict[str, list[Feature]]:
    """A number of the training data in place of a missing one."""
    row = stage.surrogateDF.collect()[0]
    absent = stage.getMissingValue()
    made = {}
    for ((feature,), name), column in zip(_pairs(stage, columns), reads(stage), strict=True):
        kind = int if feature.type == "long" else float
        cell = document.cell(f"{feature.name}_missing", feature.type, kind(row[column]))
        value: Any = feature.value
        if not np.isnan(absent):
            known = "known" if feature.nullable else value
            value = {"if": {"==": [known, kind(absent)]}, "then": cell, "else": known}
        elif feature.nullable:
            value = "known"
        if feature.nullable:
            value = {"ifnotnull": {"known": feature.value}, "then": value, "else": cell}
        found = document.let(f"{feature.name}_imputed", value)
        made[name] = [Feature(feature.name, found, feature.type)]
    return made
