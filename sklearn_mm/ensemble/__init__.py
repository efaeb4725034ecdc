"""Fusion of models: one model per modality, and estimators that combine them."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
