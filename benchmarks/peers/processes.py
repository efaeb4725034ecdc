"""Commands that end: in a group of processes of their own, within a time."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile


def run_bounded(command, seconds, **options):
    """Run a command, and end it with all that it started when its time is over.

    Parameters
    ----------
    command : list of str
        The command.
    seconds : float
        The most that it may take.
    **options
        For ``subprocess.Popen``.

    Returns
    -------
    status : int or None
        Its exit status; None if it took too long.
    output : str
        What it printed.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **options,
        )
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _end(process)
        output.seek(0)
        return status, output.read()


def _end(process):
    """End what is left of a process's group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def find_error(output, line=re.compile(r"[\w.]*(Error|Exception|Interrupt)\b.*")):
    """Find the line of an output that tells what went wrong.

    Parameters
    ----------
    output : str
        What a failed command printed.
    line : re.Pattern
        What such a line looks like.

    Returns
    -------
    str
        The last line of that kind, else the last one.
    """
    lines = [text.strip() for text in output.splitlines() if text.strip()]
    telling = [text for text in lines if line.match(text)]
    return scrub((telling or lines or ["no output"])[-1])


def scrub(text, length=200):
    """Take folders, addresses and the end of a long text out of it."""
    text = re.sub(r"\w+://\S+", "<address>", " ".join(text.split()))
    text = re.sub(r"host='[^']*'", "host=<host>", text)
    text = re.sub(r"(?<![\w.])/(?:[^\s'\"/:]+/)+", "", text)
    return text if len(text) <= length else text[: length - 3] + "..."
