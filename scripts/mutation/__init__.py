"""What scripts/mutants is made of: small changes to a module, and trials of its tests on each."""
