"""Whether the relay can do its work, and the next step where it cannot."""
