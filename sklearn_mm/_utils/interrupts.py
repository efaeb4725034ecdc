"""Ctrl-C where others would lose it: put off, or told apart from what looks like it."""

import signal
import threading
from contextlib import contextmanager


@contextmanager
def defer_interrupts():
    """Let Ctrl-C wait for the end of what is within.

    For C libraries that call back into Python: an exception is lost there, and what the
    library makes of a callback that failed is anything, up to a crash.
    """
    noted = []
    try:
        with _handle_interrupts(lambda *call: noted.append(call)):
            yield
    finally:
        for handler, args in noted:
            handler(*args)


@contextmanager
def note_interrupts():
    """Give a list that holds the signals of Ctrl-C that arrive within.

    skorch's callbacks, early stopping among them, raise KeyboardInterrupt as well.
    """
    noted = []

    def note(handler, args):
        noted.append(args)
        return handler(*args)

    with _handle_interrupts(note):
        yield noted


@contextmanager
def _handle_interrupts(act):
    """Call ``act(handler, args)`` in place of the handler of Ctrl-C."""
    handler = signal.getsignal(signal.SIGINT)
    # Python delivers signals to the main thread alone.
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not callable(handler):
        yield
        return
    signal.signal(signal.SIGINT, lambda *args: act(handler, args))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
