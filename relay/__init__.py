"""The command line, ``python -m relay``: talks to a relay over its HTTP API; not deployed with it.

``__main__`` the boundary; ``commands`` and ``submit_command`` options; ``connection`` address and key; ``client`` HTTP;
``files``, ``csv_rows``, ``columns``, ``rows`` a file's rows; ``ledger`` what became of each; ``submission`` and
``following`` send and watch them; ``report``, ``rendering`` show it; ``watching``, ``diagnosis`` the other commands.
"""
