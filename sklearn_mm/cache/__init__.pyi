from ._encoder import CachedEncoder as CachedEncoder
from ._memory import clear_memory as clear_memory
from ._memory import set_memory_limit as set_memory_limit
