"""The relay's package; imports point down.

``wiring`` (and ``operations``, for timers and operators) knows everyone: it turns ``settings`` into ``adapters`` (how
the world is touched, one outside system each) and those into use cases. ``web`` is the HTTP face. ``service`` is what
the app does, and the ports it needs. ``core`` is what is true without any of that.
"""
