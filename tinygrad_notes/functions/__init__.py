"""Functions on Tensors under PyTorch's names. They canonicalise their arguments; the rows of ``ops`` compute and record."""
