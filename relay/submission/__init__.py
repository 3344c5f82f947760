"""The submission of a file: check all rows, send them in batches, follow their updates to the end."""
