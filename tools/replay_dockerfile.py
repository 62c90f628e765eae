"""Replays a Dockerfile's steps in clean root folders, to prove them where no Docker engine is at hand.

    sudo python tools/replay_dockerfile.py Dockerfile BASE_ROOT WORK_DIR

BASE_ROOT stands for the base image: a root folder made by debootstrap, with ``python`` and its venv module; each
FROM works on a copy of it below WORK_DIR. Knows what this project's Dockerfile uses: FROM, WORKDIR, ENV, COPY (--from),
RUN, USER, and runs the last stage's ENTRYPOINT with ``--help`` as the USER. The build context is what git tracks.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path


def steps(dockerfile: Path) -> list[tuple[str, str]]:
    """Return (instruction, rest) pairs, continuation lines joined, comments dropped."""
    lines = [line for line in dockerfile.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (line.split(maxsplit=1)[0].upper(), line.split(maxsplit=1)[1]) for line in joined.splitlines() if line.strip()
    ]


class Stage:
    """One FROM: a root folder with the working directory, environment and user that the steps build up."""

    def __init__(self, root: Path, base: Path) -> None:
        subprocess.run(["cp", "-a", "--one-file-system", str(base), str(root)], check=True)
        self.root, self.workdir, self.user = root, "/", "0"
        self.environment = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}

    def run(self, command: list[str]) -> None:
        """Run a command inside the root as the stage's user."""
        chroot = ["chroot", f"--userspec={self.user}:{self.user}", str(self.root)]
        inside = ["sh", "-c", f'cd {shlex.quote(self.workdir)} && exec "$@"', "sh", *command]
        print("+", shlex.join(command), flush=True)
        subprocess.run([*chroot, *inside], env=self.environment, check=True)

    def copy(self, sources: list[Path], target: str) -> None:
        """Copy files and folders as COPY does: a folder gives its content."""
        goal = self.root / os.path.join(self.workdir, target).lstrip("/")
        for source in sources:
            if source.is_dir():
                shutil.copytree(source, goal, symlinks=True, dirs_exist_ok=True)
            else:
                goal.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, goal)


def replay(dockerfile: Path, base: Path, work: Path) -> None:
    """Carry out every step; raises CalledProcessError at the first that fails."""
    context = work / "context"
    context.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=dockerfile.parent, stdout=subprocess.PIPE, check=True)
    subprocess.run(["tar", "-x", "-C", str(context)], input=archive.stdout, check=True)
    stages: dict[str, Stage] = {}
    stage = None
    for instruction, rest in steps(dockerfile):
        words = shlex.split(rest)
        if instruction == "FROM":
            name = words[2] if len(words) == 3 else str(len(stages))
            stage = stages[name] = Stage(work / name, base)
            continue
        assert stage is not None
        if instruction == "WORKDIR":
            stage.workdir = rest
            (stage.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif instruction == "ENV":
            for word in words:
                key, _, value = word.partition("=")
                stage.environment[key] = value.replace("$PATH", stage.environment["PATH"])
        elif instruction == "COPY" and words[0].startswith("--from="):
            origin = stages[words[0].removeprefix("--from=")].root
            stage.copy([origin / word.lstrip("/") for word in words[1:-1]], words[-1])
        elif instruction == "COPY":
            stage.copy([context / word for word in words[:-1]], words[-1])
        elif instruction == "RUN":
            stage.run(["sh", "-c", rest])
        elif instruction == "USER":
            stage.user = rest
        elif instruction == "ENTRYPOINT":
            stage.run([*json.loads(rest), "--help"])


if __name__ == "__main__":
    replay(Path(sys.argv[1]).resolve(), Path(sys.argv[2]), Path(sys.argv[3]))
