"""Benches: ``make bench``, ``make bench-compare``, ``make bench-check``.

A bench is a generator function in a file of its own (under 300 lines), whose name stands in ``BENCHES`` below:

    from .peers import torch                # the module, or None where it is not installed
    from .workloads import Bench, Workload, bench, mean

    @bench("gemm")                                                   # what --filter sees, besides groups and names
    def gemm(quick: bool) -> Bench:
        rows = []
        for n in (512,) if quick else (512, 1024):
            def sides(n=n):                                          # called only if the workload is measured
                a = numpy.ones((n, n), "f4")
                made = {"ours": lambda: kernel(a, a), "numpy": lambda: a @ a}
                return made if torch is None else made | {"torch": ...}

            rows.append((yield Workload("gemm, both packed each time", f"{n}³", sides, flops=2 * n**3, bytes=3 * 4 * n**2)))
        yield mean("geometric mean", rows)                           # a figure made of figures

``yield`` gives back the ``Row`` that was measured, or None where --filter left it out. Data is made in ``sides``, functions
take no argument, return what they computed (compared between the sides, once), and are timed as ``Workload`` describes.

| file | |
|---|---|
| ``workloads`` | what a bench yields: ``Workload``, ``Row``, ``mean``; the registry |
| ``timing``, ``pools`` | how one workload is measured; threads of ours, of BLAS and of torch, one pool alive at a time |
| ``machine``, ``limits`` | what the figures depend on; what this machine can do at most |
| ``runner``, ``__main__`` | all chosen benches in one run; the command line |
| ``report``, ``roofline``, ``results`` | the table, the picture, the JSON file |
| ``compare``, ``check`` | two runs against each other; one run against the stored ratios |
| the rest | benches |
"""

BENCHES = ("imports", "team", "gemm", "eager", "depth", "training", "memory", "primitives", "elementwise", "rows")
"""The files that hold benches, in the order they run."""
