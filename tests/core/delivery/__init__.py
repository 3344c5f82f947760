"""As ``shared/core/delivery``."""
