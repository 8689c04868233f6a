"""Layer 0: flat functions over arrays. They know nothing of Tensor, Tape or Op.

Installed as ``tinygrad_notes.kernels``; imports numpy and nothing of ours.
"""
