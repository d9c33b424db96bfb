"""The compiling engine: a PFA document to Python functions, with titus2's answers."""
