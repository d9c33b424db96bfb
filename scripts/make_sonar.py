"""sonar: R's naive Bayes tells rocks from mines by 60 sonar energies."""

from __future__ import annotations

import json

from scripts.sample import DATA, Document, metadata

EVERY = 26  # of the 208 rows, each 26th is an example: four rocks, four mines


def document() -> Document:
    """What R's exporter wrote, with a name, words and examples; R's action is not touched."""
    exported = json.loads((DATA / "r_models/sonar_nb.pfa").read_text("utf-8"))
    cases = json.loads((DATA / "r_models/sonar_nb.cases.json").read_text("utf-8"))
    rows = list(zip(cases["inputs"], cases["outputs"], strict=True))
    return {
        "name": "sonar",
        "doc": "Rock (R) or mine (M): what 60 sonar frequency bands, V1 to V60, each an energy"
        " between 0 and 1, bounced off. A band that is left out or null is not weighed.",
        "version": 1,
        "metadata": metadata(
            "Naive Bayes of R 4.2 (e1071) on the Sonar data of mlbench, written by aurelius"
            " 0.8.4 with digits = NA; the examples are R's own predictions.",
            rows[::EVERY],
        ),
        **exported,
    }
