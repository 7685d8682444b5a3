"""Workers: the real binary, one process each, to be killed, paused and stopped."""

import os
import signal
import subprocess
from pathlib import Path

from processes import end, last_lines, say, spawn

ROLES = ["intake", "loop", "materializer", "trainer"]
# A session of a group, and a transaction: docs/ARCHITECTURE.md.
SESSION_TIMEOUT = 10.0


class Worker:
    """One worker. It keeps its name over restarts, and so its place in the groups and its transactional ids."""

    def __init__(self, name: str, binary: Path, bootstrap: str, folder: Path):
        self.name = name
        self.log = folder / f"worker-{name}.log"
        # The materializers, the trainers and who loads models name files by their path: all share one store.
        self.command = [
            str(binary), "run", "--bootstrap", bootstrap, "--instance", name, "--roles", ",".join(ROLES),
            "--store", str(folder / "datasets"), "--state", str(folder / "state"), "--artifacts", str(folder / "artifacts")]
        self.process: subprocess.Popen | None = None
        self.is_paused = False
        # Somebody has a plan with it: to wake it up, to start it again.
        self.is_busy = False

    def use(self, binary: Path) -> None:
        """From its next start on."""
        self.command[0] = str(binary)

    @property
    def transactional_ids(self) -> set[str]:
        return {f"flywheel.{role}.{self.name}" for role in ROLES}

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        environment = os.environ | {"FLYWHEEL_SALT": "chaos"}
        self.process = spawn(self.command, self.log, env=environment)
        self.is_paused = False

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        self.is_paused = True

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.is_paused = False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self.is_paused = False

    def has_died(self) -> str | None:
        """How it ended, if it did so by itself."""
        if self.process is None or self.is_busy or self.process.poll() is None:
            return None
        return f"worker {self.name} ended by itself with status {self.process.returncode}: {last_lines(self.log)}"

    def stop(self, timeout: float) -> bool:
        """SIGTERM; returns whether it ended in time, and well."""
        if not self.is_alive:
            return True
        if not end(self.process, timeout, f"worker {self.name}"):
            return False
        if self.process.returncode != 0:
            say(f"worker {self.name} ended with status {self.process.returncode}: {last_lines(self.log)}")
        return self.process.returncode == 0
