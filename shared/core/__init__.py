"""What is true, without I/O: parsing, ordering, pacing, what Graph said and what follows from it."""
