"""Data sets: ``load_*`` come with the package, ``fetch_*`` are downloaded once."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
