from ._encoder import CachedEncoder as CachedEncoder
