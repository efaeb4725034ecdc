from ._histograms import ColorHistogramEncoder as ColorHistogramEncoder
from ._histograms import HOGEncoder as HOGEncoder
from ._loader import ImageLoader as ImageLoader
