"""Azure Tables: outcomes, user statuses, idempotency keys, and the row that all instances share."""
