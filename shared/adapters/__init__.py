"""How the world is touched, one outside system each; they know core and ports, never each other."""
