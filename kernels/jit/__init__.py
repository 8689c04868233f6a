"""Rooms of kernels in Numba's subset of Python, imported only to compile: a warm start loads object files (``native.py``).

A room has ``KERNELS``: name -> function of int64 arguments (addresses and sizes) that returns nothing, raises nothing and allocates no
array. Two kinds: loops of ufuncs ``(args, dims, steps, data)`` and team kernels ``(args, tid, nt, team)``.
"""
