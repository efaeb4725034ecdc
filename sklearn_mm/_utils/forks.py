"""Children made by fork: they have none of their parent's threads."""

import os
import sys
from functools import lru_cache


@lru_cache
def protect_children():
    """Let torch work in children that this process forks, on one thread.

    Its threads stay with the parent, and a child that shared work with them would wait
    forever. A child may ask for threads of its own by ``torch.set_num_threads`` if its
    parent had used none.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_use_one_thread)


def _use_one_thread():
    set_threads = getattr(sys.modules.get("torch"), "set_num_threads", None)
    if set_threads is not None:
        set_threads(1)
