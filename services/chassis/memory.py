"""Memory of a process that comes and goes in large blocks."""

import ctypes

_M_MMAP_THRESHOLD = -3
_LARGE = 4 * 1024 * 1024


def give_back_large_blocks() -> None:
    """Let blocks of four megabytes and more go back to the system as soon as they are free.

    By itself glibc (mallopt(3)) raises the size from which it does so with each large block that is
    freed, up to 32 MiB; columns that grow then leave holes behind that nothing fills. Another C
    library is left as it is.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
