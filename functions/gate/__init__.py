"""The gate: decides whether an uploaded model goes live, and rolls back."""
