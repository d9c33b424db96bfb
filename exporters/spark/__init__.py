"""Models and transformers of Spark ML."""
