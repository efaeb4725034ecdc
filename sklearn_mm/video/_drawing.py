"""Draw a video into axes, by its middle frame."""

from ._loader import VideoLoader

#: Height and width of the picture, in pixels.
_SIZE = (160, 160)


def draw(cell, ax):
    """Draw the middle frame, stretched to a square.

    Parameters
    ----------
    cell : bytes-like or ndarray of shape (time, H, W) or (time, H, W, 3)
        The video.
    ax : matplotlib Axes
        The axes.

    Returns
    -------
    matplotlib AxesImage
        The frame in RGB, from 0 to 1.
    """
    loader = VideoLoader(1, _SIZE, "rgb", "middle")
    frame = loader.transform([cell])[0, 0]  # (H, W, 3)
    return ax.imshow(frame, interpolation="nearest")
