"""A file of updates, read row by row: CSV as spreadsheets write it, or JSON Lines."""
