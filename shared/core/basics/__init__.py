"""What every other rule is written with: strict JSON, times, ids, versions, trace contexts, token claims."""
