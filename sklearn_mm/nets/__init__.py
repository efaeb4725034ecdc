"""Networks that turn arrays into vectors, and layers that fuse vectors; no training.

A backbone is a module built as ``Backbone(input_shape, **options)``, where
``input_shape`` is ``X.shape[1:]`` (for token ids ``n_tokens`` comes with it), whose
``forward`` returns ``(n_samples, out_features)`` and which has ``out_features``. It
takes NaN-padded arrays, or ids padded with 0, and derives the lengths itself. A method
``adapt(x)``, if there is one, is called once with training samples before training. A
method ``tokens(x)`` returns vectors of steps or positions ``(n_samples, n_tokens,
token_features)`` and which of them are valid; fusion by attention uses these.

A fusion layer's contract is in :mod:`sklearn_mm.nets.fusion`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
