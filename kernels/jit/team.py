"""The team's native side: launch a kernel on all threads, and what a worker does between kernels.

A worker looks for the next kernel in a loop for a bounded time (``SPIN`` cycles), then sleeps. One thread at a time has the team:
another Python thread that finds it busy, or a kernel that launches a kernel, runs alone, with the same bits.
"""

from __future__ import annotations

from numba import njit

from ..layout import (
    ARGS,
    BROADCAST,
    BUSY,
    CONDITION,
    CORE,
    CORES,
    CORES_SIZE,
    CREATE,
    FINISHED,
    FLAGS,
    GET_CORES,
    HANDLES,
    JOIN,
    KERNEL,
    LINE,
    LOCK,
    MUTEX,
    NONE,
    RESTORE_THREAD,
    RUNNING,
    SAVE_THREAD,
    SELF,
    SET_CORES,
    SHARES,
    SLEEPERS,
    STOP,
    UNLOCK,
    WAIT,
    WANTED,
    WORKER,
    YIELD,
)
from .memory import (
    OPTIONS,
    PAYLOAD,
    POLLS,
    add,
    barrier,
    be_patient,
    call0,
    call1,
    call2,
    call3,
    call4,
    cas,
    cycles,
    data,
    i64,
    load,
    pause,
    set_to,
    shape,
    store,
)  # fmt: skip

SHORT = 4_000
"""Cycles of work that are not worth sharing with a worker that waits for it."""
SPIN = 300_000
"""Cycles a worker looks for work before it sleeps: about 0.1 ms, several times what waking it costs."""
WAKE = 30_000
"""Cycles of work, by the caller's own estimate, from which sleeping workers are worth waiting for."""


@njit(**OPTIONS)
def _make_room(team):
    """Keep the workers off the caller's core while they wake: two on one core are as slow as one alone.

    Linux in a virtual machine takes a core that sleeps for one whose host has put it away (``available_idle_cpu``, kernel/sched): a
    worker that wakes then stays with its waker, and as the caller soon has all shares, no later wake ever parts them.
    Only while all workers live: the C library takes a thread that has ended for the calling one.
    """
    core = call0(load(team + CORE)) & 0xFFFFFFFF
    if core >= 8 * CORES_SIZE or call3(load(team + GET_CORES), 0, CORES_SIZE, team + CORES) & 0xFFFFFFFF != 0:
        return  # more cores than a set has room for
    all_cores, others = i64(team + CORES), i64(team + CORES + CORES_SIZE)
    for i in range(CORES_SIZE // 8):
        others[i] = all_cores[i]
    others[core >> 6] &= ~(1 << (core & 63))
    for i in range(load(team + RUNNING)):  # refused if that leaves none: then they share the caller's
        call3(load(team + SET_CORES), load(team + HANDLES + 8 * i), CORES_SIZE, team + CORES + CORES_SIZE)


@njit(**OPTIONS)
def _start(team, wanted):
    """Start the workers that are missing. The caller has the team."""
    running = load(team + RUNNING)
    while running < wanted - 1:
        store(team + FLAGS + (running + 1) * LINE, load(team + FLAGS))
        if call4(load(team + CREATE), team + HANDLES + 8 * running, 0, load(team + WORKER), team) != 0:
            break  # the system gives no more threads: fewer do the same
        running += 1
        store(team + RUNNING, running)
    _make_room(team)
    return running + 1


@njit(**OPTIONS)
def _wake(team):
    call1(load(team + LOCK), team + MUTEX)
    call1(load(team + BROADCAST), team + CONDITION)
    call1(load(team + UNLOCK), team + MUTEX)


@njit(**OPTIONS)
def launch(team, kernel, args, work):
    """Run the shares ``kernel(args, tid, nt, team)`` on the threads of the team and return when all are done.

    work: about how many cycles one thread needs for all of it; what is too short to share is run by the caller alone.
    """
    wanted = load(team + WANTED)
    if wanted == 1 or work < SHORT or cas(team + BUSY, 0, 1) == 0:
        call4(kernel, args, 0, 1, team)
        return
    if load(team + RUNNING) < wanted - 1:
        wanted = _start(team, wanted)
    if work < WAKE and load(team + SLEEPERS) > 0:  # too short to wait for them, but more may follow
        _make_room(team)
        _wake(team)
        wanted = 1
    if wanted == 1:
        call4(kernel, args, 0, 1, team)
        store(team + BUSY, 0)
        return
    store(team + KERNEL, kernel)
    store(team + ARGS, args)
    store(team + FINISHED, 0)
    set_to(team + SHARES, ((load(team + SHARES) >> 16) + 1) << 16 | wanted << 8 | 1)  # share 0 is the caller's
    if load(team + SLEEPERS) > 0:
        _make_room(team)
        _wake(team)
    call4(kernel, args, 0, wanted, team)
    mine = 1
    while True:  # what no worker has begun by now: their cores may be somebody else's just now
        number = _claim(team)
        if number == 0:
            break
        call4(kernel, args, number, wanted, team)
        mine += 1
    tries = 0
    while load(team + FINISHED) < wanted - mine:
        tries += 1
        be_patient(team, tries)
    store(team + BUSY, 0)


@njit(inline="always", **OPTIONS)
def _open(shares):
    """Whether a share waits to be claimed."""
    return shares & 255 < (shares >> 8) & 255


@njit(**OPTIONS)
def _claim(team):
    """Number of a share that is now the caller's; 0 if none is left. Its kernel stays until the share is finished."""
    while True:
        shares = load(team + SHARES)
        if not _open(shares):
            return 0
        if cas(team + SHARES, shares, shares + 1) != 0:
            return shares & 255


@njit(**OPTIONS)
def _roam(team):
    """The worker is awake, on a core of its own: from here on the system may move it as it likes."""
    call3(load(team + SET_CORES), call0(load(team + SELF)), CORES_SIZE, team + CORES)


@njit(**OPTIONS)
def _sleep(team):
    """Until somebody wakes the sleepers. Whether there is work is looked at under the lock, so that none is missed."""
    add(team + SLEEPERS, 1)
    call1(load(team + LOCK), team + MUTEX)
    if not _open(load(team + SHARES)) and load(team + STOP) == 0:
        call2(load(team + WAIT), team + CONDITION, team + MUTEX)
    call1(load(team + UNLOCK), team + MUTEX)
    add(team + SLEEPERS, -1)
    _roam(team)


def worker(team):
    """What a worker does all its life: look for a share that waits, run it, say so."""
    while True:
        begin = cycles()
        tries = 0
        while not _open(load(team + SHARES)) and load(team + STOP) == 0:
            tries += 1
            if tries > POLLS:
                pause()
                if cycles() - begin > SPIN:
                    _sleep(team)
                    begin = cycles()
        if load(team + STOP) != 0:
            return
        number = _claim(team)
        if number != 0:
            threads = (load(team + SHARES) >> 8) & 255
            call4(load(team + KERNEL), load(team + ARGS), number, threads, team)
            add(team + FINISHED, 1)


def run(self, block):
    """Python's builtin function ``run(block)``: a bytes object holds team, kernel and work, then the kernel's arguments.

    The interpreter's lock is given up meanwhile, unless the work is too short to be worth that.
    """
    words = block + PAYLOAD
    team = i64(words)[0]
    kernel = i64(words)[1]
    work = i64(words)[2]
    if work < SHORT:
        call4(kernel, words + 24, 0, 1, team)
    else:
        state = call0(load(team + SAVE_THREAD))
        launch(team, kernel, words + 24, work)
        call1(load(team + RESTORE_THREAD), state)
    none = load(team + NONE)
    i64(none)[0] += 1  # a new reference; the lock is held
    return none


def nothing(args, tid, nt, team):
    """The empty kernel: what launching costs."""


def barriers(args, tid, nt, team):
    """``args[0]`` barriers after each other: what one costs."""
    for _ in range(i64(args)[0]):
        barrier(team, tid, nt)


def halt(team):
    """End all workers, when nobody has the team, and wait for them."""
    while cas(team + BUSY, 0, 1) == 0:
        call0(load(team + YIELD))
    store(team + STOP, 1)
    _wake(team)
    for i in range(load(team + RUNNING)):
        call2(load(team + JOIN), load(team + HANDLES + 8 * i), 0)
    for word in (RUNNING, SLEEPERS, STOP, BUSY):
        store(team + word, 0)


def marks(args, tid, nt, team):
    """Count in an array who ran: one word a thread."""
    i64(data(i64(args)[0]))[tid] += 1


def room(args, tid, nt, team):
    """What a caller does before it wakes the others."""
    _make_room(team)


def rounds(args, tid, nt, team):
    """Fill row after row of an array, each from all of the row before: wrong as soon as one barrier lets a thread pass alone."""
    table = i64(data(i64(args)[0]))
    width = shape(i64(args)[0], 1)
    table[tid] = 1
    for row in range(1, i64(args)[1] + 1):
        barrier(team, tid, nt)
        total = 0
        for other in range(nt):
            total += table[(row - 1) * width + other]
        table[row * width + tid] = total % 1009


KERNELS = {
    "marks": marks,
    "room": room,
    "rounds": rounds,
    "worker": worker,
    "run": run,
    "halt": halt,
    "nothing": nothing,
    "barriers": barriers,
}
