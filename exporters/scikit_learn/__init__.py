"""Models and transformers of scikit-learn."""
