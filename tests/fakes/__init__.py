"""One in-memory fake per port; the contract suite holds each to what the real thing does."""
