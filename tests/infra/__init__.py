"""infra/ and what is said about it, checked without a Bicep compiler."""
