"""What the app does, use case by use case, and what it needs from outside (``ports``)."""
