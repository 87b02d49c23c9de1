"""APIs that this project did not write, verified as their users would."""
