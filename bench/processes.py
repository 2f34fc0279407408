"""What running processes have used, as the kernel counts it."""

import os
import resource
from pathlib import Path


def processor_s(pid: int) -> float:
    """Return the processor seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def processor_with_children_s(pid: int) -> float:
    """Return the processor seconds of a process and of its children, whether they have ended or not."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return processor_s(pid) + sum(processor_s(int(child)) for child in children)


def resident_mb(pid: int | str = "self") -> float:
    """Return the memory of a process; by default of this one."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
