"""What stands in for Azure locally: Azurite, a strict Graph, an identity endpoint, a host of Microsoft's runtime.

``python -m emulator`` starts all of it; ``emulator.stack`` gives the parts to tests and benches.
"""
