"""What changes between two PFA documents: types, structure, and what they answer to rows."""
