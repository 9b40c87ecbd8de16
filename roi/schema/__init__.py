"""What a parameter file and the policy file may hold: one module per family of groups."""
