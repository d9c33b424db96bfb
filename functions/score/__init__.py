"""The score function: HTTP and direct invocations in, a model's answers out."""
