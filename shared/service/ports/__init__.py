"""What the use cases need from outside, by role; adapters and the tests' fakes keep these promises."""
