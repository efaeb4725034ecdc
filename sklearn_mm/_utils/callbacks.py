"""scikit-learn's callbacks, around a part of a fit."""

from contextlib import contextmanager


@contextmanager
def as_task(encoder, context):
    """Notify scikit-learn's callbacks, if there are any, of a batch."""
    if context is None:
        yield
        return
    task = context.subcontext(task_name="batch")
    task.call_on_fit_task_begin(estimator=encoder)
    yield
    task.call_on_fit_task_end(estimator=encoder, reconstruction_attributes={})
