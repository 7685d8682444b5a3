"""Child processes that die with us, and free ports."""

import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ChaosError(Exception):
    """What went wrong in the harness or in what it runs: what, where, why."""


def say(text: str) -> None:
    """A progress line on standard error."""
    print(f"chaos {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def spawn(command: list[str], log: Path, **options) -> subprocess.Popen:
    """Starts a process of its own group whose output goes to a file. The kernel ends it if we die first.

    Only from the main thread: the kernel looks at the thread that made the child.
    """
    with open(log, "ab") as file:
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", file)
        return subprocess.Popen(command, stderr=file, preexec_fn=_die_with_parent, **options)


def _die_with_parent() -> None:
    os.setsid()
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def end(process: subprocess.Popen | None, timeout: float, what: str) -> bool:
    """SIGTERM, and SIGKILL when that does not end it in time. Returns whether it went by itself."""
    if process is None or process.poll() is not None:
        return True
    process.send_signal(signal.SIGCONT)
    process.terminate()
    return await_end(process, timeout, what)


def await_end(process: subprocess.Popen, timeout: float, what: str) -> bool:
    """Waits for somebody who was asked to end. A second SIGTERM might hit one who is just leaving, and count as a failure."""
    try:
        process.wait(timeout)
        return True
    except subprocess.TimeoutExpired:
        say(f"{what} does not end within {timeout:.0f} s of SIGTERM: killing it")
        process.kill()
        process.wait(10)
        return False


def last_lines(path: Path, count: int = 5) -> str:
    """The end of a log, for an error's text."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 4_096))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError as error:
        return str(error)
    return " | ".join(lines[-count:])


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on.

    Below the range that the system hands out to clients: the port of a broker that was killed must still be free when it
    comes back.
    """
    ports: list[int] = []
    for _ in range(1_000):
        candidate = random.SystemRandom().randrange(20_000, 32_000)
        if candidate in ports:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
        ports.append(candidate)
        if len(ports) == count:
            return ports
    raise ChaosError(f"found no {count} free ports between 20000 and 32000")


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
        return True
    except OSError:
        return False


def scratch_root(needed: int) -> Path:
    """Where `needed` bytes of brokers' data go: memory if there is room for twice as much, else the temporary folder."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 * needed:
        if available_memory() > 2 * needed:
            return memory
    return Path(os.environ.get("TMPDIR", "/tmp"))


def available_memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1_024
    return 0
