"""A data set as scikit-learn's loaders present it."""

from sklearn.utils import Bunch


def make_bunch(
    frame, target, description, return_X_y=False, as_frame=True, *, groups=None
):
    """Present a data set as scikit-learn's loaders do.

    Parameters
    ----------
    frame : DataFrame
        All columns.
    target : str
        Name of the target's column.
    description : str
        What the data set is.
    return_X_y, as_frame : bool
        As in the loaders.
    groups : str or None
        Name of the column of what must not be on both sides of a split.

    Returns
    -------
    Bunch, or tuple of (data, target)
        As the loaders give it.
    """
    data, labels = frame.drop(columns=target), frame[target]
    names = list(data.columns)
    special = {"split": "split", "groups": groups}
    special = {key: data[name] for key, name in special.items() if name in names}
    if not as_frame:
        data, labels, frame = data.to_numpy(dtype=object), labels.to_numpy(), None
        special = {key: column.to_numpy() for key, column in special.items()}
    if return_X_y:
        return data, labels
    return Bunch(
        data=data,
        target=labels,
        frame=frame,
        feature_names=names,
        target_names=sorted(set(labels)),
        DESCR=description,
        **special,
    )
