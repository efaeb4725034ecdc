"""skorch callbacks that every net has."""

from skorch.callbacks import EarlyStopping, EpochTimer, PassthroughScoring, PrintLog


def default_callbacks(net):
    """Give the callbacks that a net's parameters ask for, by name."""
    callbacks = [
        ("epoch_timer", EpochTimer()),
        ("train_loss", PassthroughScoring("train_loss", on_train=True)),
        ("valid_loss", PassthroughScoring("valid_loss")),
    ]
    if net.early_stopping:
        callbacks.append(("early_stopping", BestEpoch(patience=net.n_iter_no_change)))
    if net.verbose:
        callbacks.append(("print_log", PrintLog()))
    return callbacks


class BestEpoch(EarlyStopping):
    """Stop when the validation loss no longer falls, and go back to its best epoch.

    Without a validation part (too few samples) it does nothing.

    Parameters
    ----------
    patience : int
        Epochs without improvement.
    """

    def __init__(self, patience=10):
        super().__init__(patience=patience, load_best=True, sink=_say_nothing)

    def on_epoch_end(self, net, **kwargs):
        """Compare the validation loss, if there is one."""
        if kwargs.get("dataset_valid") is not None:
            super().on_epoch_end(net, **kwargs)

    def on_train_end(self, net, **kwargs):
        """Restore the best epoch, if one was noted."""
        if getattr(self, "best_epoch_", 0):
            super().on_train_end(net, **kwargs)


def _say_nothing(text):
    pass
