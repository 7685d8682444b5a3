"""A rolling upgrade: the binary of another commit, and workers of it that are replaced one by one."""

import random
import subprocess
import sys
import time
from pathlib import Path

from faults import Faults
from logs import Logs
from processes import ChaosError, last_lines, say
from scene import Scene
from workers import SESSION_TIMEOUT, Worker

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCT = ["swift", "build", "-c", "release", "--product", "flywheel", "--explicit-target-dependency-import-check", "error"]


def former_binary(commit: str) -> Path:
    """The release binary of a commit, built in a worktree under `.build` that is kept for the next run."""
    name = _git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", problem=f"there is no commit {commit}")
    folder = ROOT / ".build/upgrade-from" / name
    binary = folder / ".build/release/flywheel"
    if binary.is_file():
        return binary
    if not (folder / "Package.swift").is_file():
        _git("worktree", "prune", problem="git worktree prune fails")
        _git("worktree", "add", "--detach", "--force", str(folder), name, problem=f"there is no worktree of {commit}")
    say(f"building {commit} (release)")
    if subprocess.run(PRODUCT, cwd=folder, stdout=sys.stderr).returncode != 0:
        raise ChaosError(f"commit {commit} does not build in {folder}")
    return binary


def _git(*words: str, problem: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        found = done.stderr.strip() or f"git {words[0]} exits with {done.returncode}"
        raise ChaosError(f"{problem}: {found}")
    return done.stdout.strip()


class RollingUpgrade:
    """Replaces every worker under load, as the operator's guide says to, and kills some meanwhile."""

    # How long the former build works alone, and both beside each other after each replacement, in seconds.
    LEAD = 20.0
    OVERLAP = (5.0, 9.0)
    # The longest that a worker may take until it holds partitions.
    READY_TIMEOUT = 45.0

    def __init__(self, scene: Scene, faults: Faults, seed: int):
        self.scene, self.faults = scene, faults
        self.random = random.Random(f"{seed}/upgrade")

    def run(self, binary: Path) -> None:
        say(f"the former build works alone for {self.LEAD:.0f} s")
        self._run_for(self.LEAD)
        self.scene.use_binary(binary)
        # What the new build needs and the former did not have.
        self.scene.create_topics()
        for number, worker in enumerate(self.random.sample(self.scene.workers, len(self.scene.workers))):
            self._replace(worker)
            if number == 0 and len(self.scene.workers) > 1:
                self._fall_back(worker)
            self._run_for(self.random.uniform(*self.OVERLAP))
        say("every worker is of the new build")

    def _replace(self, worker: Worker) -> None:
        began = time.monotonic()
        if not worker.is_alive:
            raise ChaosError(f"worker {worker.name} is not there to be replaced: {last_lines(worker.log)}")
        worker.is_busy = True
        worker.process.terminate()
        self.faults.counts.worker_stops += 1
        while worker.is_alive and time.monotonic() - began < self.faults.STOP_TIMEOUT:
            self._run_for(0.1)
        if worker.is_alive or worker.process.returncode != 0:
            self.faults.failures.append(f"worker {worker.name} of the former build did not stop as it should: {last_lines(worker.log)}")
        if worker.is_alive:
            worker.kill()
        worker.use(self.scene.binary)
        self._start(worker)
        say(f"worker {worker.name} is of the new build, {time.monotonic() - began:.1f} s after it was asked to stop")

    def _fall_back(self, worker: Worker) -> None:
        """The only worker of the new build dies for longer than a session: the former build decides its partitions again."""
        self._run_for(self.random.uniform(4, 6))
        worker.is_busy = True
        worker.kill()
        self.faults.counts.worker_kills += 1
        length = SESSION_TIMEOUT * 1.4
        say(f"killed worker {worker.name} of the new build; it comes back in {length:.1f} s, and the former build has its partitions until then")
        self._run_for(length)
        self._start(worker)

    def _start(self, worker: Worker) -> None:
        """Waits until it holds partitions, or for a while: with many workers some have none."""
        known = worker.log.stat().st_size if worker.log.exists() else 0
        worker.start()
        worker.is_busy = False
        deadline = time.monotonic() + self.READY_TIMEOUT
        while time.monotonic() < deadline:
            with open(worker.log, "rb") as file:
                file.seek(known)
                if file.read().count(b"partitions assigned") >= 2:
                    return
            self._run_for(0.2)
        say(f"worker {worker.name} holds no partitions after {self.READY_TIMEOUT:.0f} s")

    def _run_for(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.faults.restart_ended_workers()
            self.scene.watch()
            time.sleep(0.05)


def builds(logs: Logs) -> dict[str, list[str]]:
    """For each project the builds that decided it, in turn, as its `engine` entries say."""
    found: dict[str, list[str]] = {project: [] for project in logs.projects()}
    for entry in logs.journal:
        if entry.kind == "engine":
            sequence = found.setdefault(entry.project, [])
            if not sequence or sequence[-1] != entry.entry["build"]:
                sequence.append(entry.entry["build"])
    return found


def check_builds(sequences: dict[str, list[str]], newest: str) -> list[str]:
    """Every project was decided by the former build, and is decided by the new one; else nothing was shown."""
    failures = []
    for project, names in sorted(sequences.items()):
        if not names or names[-1] != newest:
            failures.append(f"{project} is not decided by build {newest} in the end: {', '.join(names) or 'no entry says by whom'}")
        elif len(names) < 2:
            failures.append(f"{project} was decided by build {newest} alone: the former build has the same version, or did nothing")
    return failures
