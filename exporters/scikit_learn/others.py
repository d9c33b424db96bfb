"""Naive Bayes, clusters, and constants."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from exporters.classes import chosen, softmax
from exporters.document import DOUBLES, Document, Feature, Prediction
from exporters.errors import UnsupportedError


def gaussian_bayes(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The log of the prior and of a normal density for each feature; user guide, 1.9.1."""
    priors = np.log(model.class_prior_)
    scores = normal_scores(document, features, priors, model.theta_, model.var_)
    probabilities = softmax(document, scores)
    return chosen(document, model.classes_, {"a.argmax": [scores]}, probabilities)


def normal_scores(
    document: Document,
    features: Sequence[Feature],
    log_priors: np.ndarray,
    found_means: np.ndarray,
    found_variances: np.ndarray,
) -> str:
    """Return PFA of the log of the prior and of normal densities, an array by class."""
    record = document.unique("Gaussian")
    fields = [{"name": "mean", "type": "double"}, {"name": "variance", "type": "double"}]
    classes = [
        [
            {"mean": mean, "variance": variance}
            for mean, variance in zip(means, variances, strict=True)
        ]
        for means, variances in zip(found_means.tolist(), found_variances.tolist(), strict=True)
    ]
    of_class = {"type": "array", "items": {"type": "record", "name": record, "fields": fields}}
    cell = document.cell("gaussians", {"type": "array", "items": of_class}, classes)
    x = document.doubles(features)
    # model.naive.gaussian multiplies densities, which become 0 with many features.
    density = {
        "params": [{"value": "double"}, {"gaussian": record}],
        "ret": "double",
        "do": {"prob.dist.gaussianLL": ["value", "gaussian"]},
    }
    one = {
        "params": [{"gaussians": {"type": "array", "items": record}}],
        "ret": "double",
        "do": {"a.sum": [{"a.zipmap": [x, "gaussians", density]}]},
    }
    likelihoods = document.let("likelihoods", {"a.map": [cell, one]})
    priors = document.cell("log_priors", DOUBLES, log_priors.tolist())
    return document.let("scores", {"la.add": [likelihoods, priors]})


def clusters(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The number of the closest centre."""
    return closest_of(document, features, model.cluster_centers_.astype(float).tolist())


def closest_of(
    document: Document, features: Sequence[Feature], places: Sequence[Any]
) -> Prediction:
    """Return the number of the closest of these places."""
    record = {
        "type": "record",
        "name": document.unique("Cluster"),
        "fields": [{"name": "center", "type": DOUBLES}, {"name": "id", "type": "int"}],
    }
    centres = [{"center": centre, "id": i} for i, centre in enumerate(places)]
    cell = document.cell("clusters", {"type": "array", "items": record}, centres)
    closest = {"model.cluster.closest": [document.doubles(features), cell]}
    return Prediction({"attr": closest, "path": [{"string": "id"}]}, "int")


def constant(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The same number for every record."""
    del features
    found = np.ravel(model.constant_)
    if len(found) != 1:
        raise UnsupportedError("A model with several outputs cannot be exported.")
    return Prediction(document.cell("constant", "double", float(found[0])))


def constant_classifier(model: Any, features: Sequence[Feature], document: Document) -> Prediction:
    """The same class for every record, and the same probabilities."""
    del features
    strategy = model._strategy
    if strategy not in ("prior", "most_frequent", "constant") or model.n_outputs_ != 1:
        raise UnsupportedError(f"DummyClassifier(strategy={strategy!r}) cannot be exported.")
    prior = np.asarray(model.class_prior_, dtype=float)
    hot = np.zeros(len(prior))
    place = int(prior.argmax())
    if strategy == "constant":
        place = model.classes_.tolist().index(np.ravel(model.constant)[0])
    hot[place] = 1.0
    found = prior if strategy == "prior" else hot
    cell = document.cell("probability", DOUBLES, found.tolist())
    return chosen(document, model.classes_, place, document.let("probability", cell))
