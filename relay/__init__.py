"""The command line, ``python -m relay``: a client of a relay's HTTP API. It is not deployed with the app.

``commands`` has a module per command; ``rows`` reads a file; ``submission`` sends the rows and follows their updates;
``client`` is HTTP, ``retry`` its pauses, ``config`` the address and the key;
``output`` prints; ``system`` is the clock.
"""
