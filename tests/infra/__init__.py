"""infra/ as Microsoft's compiler sees it, its scripts, its alerts, and the package that is deployed."""
