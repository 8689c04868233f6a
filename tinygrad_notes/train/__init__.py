"""Layer 7: training loops and what they draw."""
