"""Layer 7: the networks of the lecture notes."""
