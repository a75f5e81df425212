"""The environment of a measurement: versions, processor, threads, memory."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info


def versions() -> dict[str, str]:
    """Return the versions of everything that affects the figures: Python, NumPy, its BLAS, and plainnet."""
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    pools = [pool for pool in pools if "numpy" in pool["filepath"]] or pools  # others, such as SciPy's, affect nothing
    blas = " ".join(f"{pool['internal_api']} {pool['version']} {pool.get('architecture', '')}" for pool in pools)
    return {
        "plainnet": version("plainnet"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": blas.strip() or "unknown",
    }


def threads() -> int:
    """Return the number of threads that matrix products use."""
    return max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)


def hardware() -> str:
    """Return the processor's name, the cores this process may use, and the operating system."""
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    except OSError:
        pass  # no such file outside Linux
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name} ({platform.machine()}), {cores} cores, {platform.system()}"


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process so far, in megabytes of 10^6 bytes; 0 if unknown."""
    with contextlib.suppress(OSError):  # Linux: this figure counts only this program, not the one that started it
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
    try:
        import resource  # which Windows lacks
    except ImportError:
        return 0.0
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kibibytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
