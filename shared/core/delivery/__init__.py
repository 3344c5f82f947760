"""What becomes of an update: its outcome, the order of values, Graph's replies and what follows from them."""
