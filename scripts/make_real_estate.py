"""real_estate: the price of a home by its distance from the nearest metro station."""

from __future__ import annotations

import csv
import math
from itertools import islice

from scripts.sample import DATA, Document, metadata

DISTANCE = "distance to the nearest MRT station"  # metres
PRICE = "house price of unit area"  # 10,000 New Taiwan dollars per ping (3.3 m²)
ROWS_SHOWN = 4  # rows of the data among the examples


def fit() -> tuple[float, float]:
    """Intercept and slope of the price on the natural logarithm of the distance.

    Ordinary least squares by its normal equations, centred, in sums without rounding. Kept to
    12 digits: the last bits of a logarithm are not the same on every machine.
    """
    with (DATA / "real_estate/real_estate.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    x = [math.log(float(row[DISTANCE])) for row in rows]
    y = [float(row[PRICE]) for row in rows]
    mean_x, mean_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    covariance = math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    slope = covariance / math.fsum((a - mean_x) ** 2 for a in x)
    return float(f"{mean_y - slope * mean_x:.12g}"), float(f"{slope:.12g}")


def cost(distance: float) -> float:
    """The estimate that the document must give, in Python: halves of a hundredth round up."""
    intercept, slope = fit()
    return math.floor((intercept + slope * math.log(distance)) * 100 + 0.5) / 100


def document() -> Document:
    """The fitted line as PFA."""
    intercept, slope = fit()
    with (DATA / "real_estate/real_estate.csv").open(encoding="utf-8") as file:
        seen = [float(row[DISTANCE]) for row in islice(csv.DictReader(file), ROWS_SHOWN)]
    estimate = {
        "+": [
            {"cell": "line", "path": [["intercept"]]},
            {"*": [{"cell": "line", "path": [["slope"]]}, {"m.ln": ["input.distance"]}]},
        ]
    }
    return {
        "name": "real_estate",
        "doc": "Price of a home, in 10,000 New Taiwan dollars per ping (3.3 m²), by its distance"
        " in metres from the nearest metro station. Fitted on 23 to 6,488 m. Error -1: the"
        " distance is not greater than 0.",
        "version": 1,
        "metadata": metadata(
            "Ordinary least squares on the 414 rows of UCI's real estate valuation data (New"
            " Taipei): price on the natural logarithm of the distance, rounded to hundredths.",
            [({"distance": d}, {"cost": cost(d)}) for d in [150.0, 1000.0, *seen]],
        ),
        "input": {
            "type": "record",
            "name": "Home",
            "fields": [{"name": "distance", "type": "double"}],
        },
        "output": {
            "type": "record",
            "name": "Estimate",
            "fields": [{"name": "cost", "type": "double"}],
        },
        "cells": {
            "line": {
                "type": {
                    "type": "record",
                    "name": "Line",
                    "fields": [
                        {"name": "intercept", "type": "double"},
                        {"name": "slope", "type": "double"},
                    ],
                },
                "init": {"intercept": intercept, "slope": slope},
            }
        },
        "action": [
            {
                "if": {"<=": ["input.distance", 0]},
                "then": {"error": "distance must be greater than 0 metres", "code": -1},
            },
            {
                "new": {"cost": {"/": [{"m.round": [{"*": [estimate, 100]}]}, 100]}},
                "type": "Estimate",
            },
        ],
    }
