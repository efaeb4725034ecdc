"""The most memory that this process holds while something runs (Linux)."""

import ctypes
import gc
from pathlib import Path


def measure_peak(action):
    """Run something; give its result, and by how many bytes memory grew at its peak.

    Parameters
    ----------
    action : callable
        Takes nothing.

    Returns
    -------
    result : object
        What it gave.
    grown : int
        Peak of resident memory in the meantime, less what was resident before.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what is free already would hide what is taken
    Path("/proc/self/clear_refs").write_text("5")  # the peak is what is held now
    before = read_status("VmRSS")
    result = action()
    return result, read_status("VmHWM") - before


def read_status(name):
    """Read a line of the process's status, in bytes."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split(f"{name}:")[1].split()[0])
