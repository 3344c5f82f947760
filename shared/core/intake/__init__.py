"""What senders send: the update message, the queue's envelope, events around it, webhook sources."""
