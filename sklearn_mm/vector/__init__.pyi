from ._pooled import PooledEncoder as PooledEncoder
from ._stacker import VectorStacker as VectorStacker
