"""Where everything stands in memory that Python and native code share: the team (``team.py``), in bytes; the pool, in words.

What different threads write stands ``LINE`` bytes apart, a pair of cache lines, which the processor fetches together.
"""

LINE = 128
MOST = 64
"""Threads a team can have."""

SHARES = 0  # kernels launched << 16 | shares of the last << 8 | the next share that waits for a thread
KERNEL, ARGS = LINE, LINE + 8  # of the last
BUSY = 2 * LINE  # somebody has the team
SLEEPERS = 3 * LINE  # workers that sleep
FINISHED = 4 * LINE  # shares that workers have done
MUTEX = 5 * LINE  # pthread's, of the sleepers
CONDITION = 6 * LINE
LOCK, UNLOCK, WAIT, BROADCAST, CREATE, JOIN, YIELD, SELF, CORE, GET_CORES, SET_CORES = (
    7 * LINE + 8 * i for i in range(11)
)  # addresses of the C library's functions
WORKER, WANTED = 8 * LINE, 8 * LINE + 8  # the workers' code; threads wanted
SAVE_THREAD, RESTORE_THREAD, NONE = 8 * LINE + 16, 8 * LINE + 24, 8 * LINE + 32  # the interpreter's functions, and its None
CACHE = 8 * LINE + 40  # bytes of the last cache
RUNNING, STOP = 9 * LINE, 9 * LINE + 8  # workers there are; they shall end
HANDLES = 10 * LINE  # pthread's, one a worker
CORES = 14 * LINE  # the set of cores that the caller may run on, as the C library has it; after it, the same without its own
CORES_SIZE = 128
"""Bytes of such a set."""
FLAGS = 16 * LINE  # of the barriers: + LINE * thread
SIZE = FLAGS + MOST * LINE

# ---- the pool of memory for arrays ----

ALIGNED_ALLOC, FREE, MEMSET, MEMCPY, MADVISE = range(5)  # addresses of the C library's functions
KEPT, CAP = 5, 6  # bytes that wait in the lists; the most that may
COLOR = 7  # number of the place that the next block gets in its page
LISTS = 8  # the first free block of each size
STATE = LISTS + 200
HEADER = 64
"""Bytes before an array's own."""
LARGEST = 1 << 26
"""Blocks of more bytes go back to the system at once."""

# ---- a thread's place in a matrix product ----

BLOCK = 448 << 10
"""Bytes of a block of B: what fits half of a second cache of 1 MB, and most of one of 512 KB."""
K_BYTES = 2048
"""Bytes of a row of A that are used in one go: a tile's rows take half of the first cache."""
PLACE = BLOCK + (32 << 10)
"""The block of B, and after it a tile's rows of A."""
