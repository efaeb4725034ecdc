"""Data sets in the format of scikit-learn's loaders."""

from sklearn.utils import Bunch


def make_bunch(
    frame, target, description, return_X_y=False, as_frame=True, *, groups=None
):
    """Return a data set in the format of scikit-learn's loaders.

    Parameters
    ----------
    frame : DataFrame
        All columns.
    target : str
        Name of the target's column.
    description : str
        Description of the data set.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=True
        Return a DataFrame and a Series; otherwise, object arrays.
    groups : str or None, default=None
        Name of the column of groups, such as speakers, that a split must keep together.

    Returns
    -------
    Bunch, or tuple of (data, target)
        The data set.
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
