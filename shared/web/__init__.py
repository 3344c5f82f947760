"""The HTTP face: requests in, use case, answers out; the only room that knows ``azure.functions``."""
