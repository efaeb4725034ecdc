"""To look inside: what modalities are worth, how they fail, reports and pictures."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
