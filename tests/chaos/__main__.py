"""`scripts/chaos`: everything at once for so many seconds, on services of its own."""

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from tests.chaos.run import KEY, chaos
from tests.support.servers import Server, run_services


def main(
    seconds: Annotated[float, typer.Option("--seconds", help="For how long faults strike.")] = 60.0,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Where faults and their moments come from.")
    ] = None,
    results: Annotated[
        Path | None, typer.Option("--results", help="A file for what is said, beside the terminal.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option("--keep", help="A new folder for logs, kept afterwards.")
    ] = None,
) -> None:
    """Run workers, alerts and releases under random faults; exit code 1 if anything is wrong."""
    if keep and keep.exists() and any(keep.iterdir()):
        raise typer.BadParameter(f"{keep} has the topics of another run", param_hint="--keep")
    # Told to stop, it leaves nothing running and no folder behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    chosen = random.randrange(10**6) if seed is None else seed
    os.environ["HOOK_SECRET"] = KEY
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        print(text, flush=True)

    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="caseline-chaos-") as name:
        folder = keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        services = folder / "services"
        try:
            address = run_services("up", services)["CASELINE_KAFKA_BOOTSTRAP"]
            wrong = chaos(Server("kafka", address, services), folder, seconds, chosen, say)
        finally:
            run_services("down", services)
    for text in wrong:
        say(f"WRONG {text}")
    say(f"{len(wrong)} wrong" if wrong else "nothing lost, nothing doubled, nothing silent")
    say(f"took {time.monotonic() - began:.0f} s; again with --seed {chosen} --seconds {seconds:g}")
    if results:
        results.write_text("\n".join(said) + "\n")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    typer.run(main)
