"""The parts of the example generator: truths, cases, control logs and files."""
