"""One file per family of models: library functions made for the types and constants of a call."""
