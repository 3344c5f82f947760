"""The turn of an update, from the queue message to the PATCH and its outcome."""
