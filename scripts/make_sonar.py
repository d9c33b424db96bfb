"""sonar: R's naive Bayes tells rocks from mines by 60 sonar energies.

R's exporter writes a document that takes a map and looks only at the bands that are in it, so that
a record without any gets an answer too. Here R's numbers stand behind a record of all 60 bands,
which a PFA engine checks, and R's rule is written with the function that PFA has for it.
"""

from __future__ import annotations

import json
from typing import Any

from scripts.sample import DATA, Document, metadata

EVERY = 26  # of the 208 rows, each 26th is an example: four rocks, four mines
BANDS = [f"V{number}" for number in range(1, 61)]


def exported() -> Document:
    """What R's exporter wrote."""
    document: Document = json.loads((DATA / "r_models/sonar_nb.pfa").read_text("utf-8"))
    return document


def cells(exported: Document) -> Document:
    """R's own numbers, to all their digits: how many rows of each class, and its normal densities.

    R (e1071) widens a deviation of 0 to 0.001; the smallest one here is 0.0037.
    """
    theirs = exported["cells"]
    densities = theirs["numeric_cond_probs"]["init"]
    density = {
        "type": "record",
        "name": "Density",
        "fields": [{"name": "mean", "type": "double"}, {"name": "variance", "type": "double"}],
    }
    return {
        "rows": {
            "type": {"type": "map", "values": "double"},
            "init": theirs["apriori_counts"]["init"],
        },
        "densities": {
            "type": {"type": "map", "values": {"type": "array", "items": density}},
            "init": {sort: [of[band] for band in BANDS] for sort, of in densities.items()},
        },
    }


def log_posterior(sort: str) -> Any:
    """PFA for the logarithm of how likely class `sort` is, but for a term that all classes share.

    The logarithm of its prior, which is its share of the rows, and of each band's normal density.
    """
    return {
        "+": [
            {"m.ln": {"cell": "rows", "path": [[sort]]}},
            {"model.naive.gaussian": ["energies", {"cell": "densities", "path": [[sort]]}]},
        ]
    }


def document() -> Document:
    """R's model as PFA, with words and examples."""
    cases = json.loads((DATA / "r_models/sonar_nb.cases.json").read_text("utf-8"))
    examples = list(zip(cases["inputs"], cases["outputs"], strict=True))[::EVERY]
    fitted = cells(exported())
    return {
        "name": "sonar",
        "doc": "Rock (R) or mine (M): what 60 sonar frequency bands, V1 to V60, each an energy"
        " between 0 and 1, bounced off.",
        "version": 1,
        "metadata": metadata(
            "Naive Bayes of R 4.2 (e1071) on the Sonar data of mlbench: the means, variances and"
            " counts that aurelius 0.8.4 wrote with digits = NA; the examples are R's own"
            " predictions.",
            examples,
        ),
        "input": {
            "type": "record",
            "name": "Echo",
            "fields": [{"name": band, "type": "double"} for band in BANDS],
        },
        "output": "string",
        "cells": fitted,
        "action": [
            {
                "let": {
                    "energies": {
                        "type": {"type": "array", "items": "double"},
                        "new": [f"input.{band}" for band in BANDS],
                    }
                }
            },
            {
                "map.argmax": {
                    "type": {"type": "map", "values": "double"},
                    "new": {sort: log_posterior(sort) for sort in fitted["rows"]["init"]},
                }
            },
        ],
    }
