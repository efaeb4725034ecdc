"""One cell as HTML: a small picture, escaped text, or a number."""

import base64
import io
from html import escape
from importlib.util import find_spec

from ._cells import list_items
from ._drawing import UNREADABLE, describe_cell, has_picture, make_picture

#: Side in pixels up to which small images are enlarged, and beyond which pictures are
#: shown at half of their resolution.
_SMALL, _LARGE = 96, 200
_MAX_CHARACTERS = 300
_MAX_ITEMS = 4


def render_cell(cell, modality, files):
    """Render a cell as HTML.

    Parameters
    ----------
    cell : object
        The cell, which is not missing.
    modality : Modality or None
        Its modality.
    files : dict
        Arguments of ``Modality.open_cell``.

    Returns
    -------
    str
        HTML in which all that comes from the cell is escaped.
    """
    items = list_items(cell)[:_MAX_ITEMS]
    return " ".join(_render_item(item, modality, files) for item in items)


def _render_item(cell, modality, files):
    description = escape(describe_cell(cell, _MAX_CHARACTERS))
    if not has_picture(modality) or find_spec("matplotlib") is None:
        return description
    try:
        pixels, label = make_picture(cell, modality, files)
    except UNREADABLE as error:
        return f"{description} <em>cannot be shown: {escape(str(error))}</em>"
    caption = escape(label) or description
    return f"{_render_picture(pixels, caption)} {caption}"


def _render_picture(pixels, caption):
    from matplotlib.image import imsave

    factor = max(1, _SMALL // max(pixels.shape[:2]))
    pixels = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
    file = io.BytesIO()
    imsave(file, pixels, format="png")
    code = base64.b64encode(file.getvalue()).decode()
    width = pixels.shape[1] if max(pixels.shape) <= _LARGE else pixels.shape[1] // 2
    source = f"data:image/png;base64,{code}"
    return f'<img alt="{caption}" width="{width}" src="{source}">'
