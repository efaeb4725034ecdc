"""The modalities that the package knows, in the order in which they are detected."""

from ..audio._modality import AUDIO
from ..image._modality import IMAGE
from ..sequence._modality import SEQUENCE
from ..text._modality import TEXT
from ..vector._modality import VECTOR
from ..video._modality import VIDEO
from .kinds import BOOLEAN, CATEGORY, DATETIME, NUMERIC

#: Modalities whose columns have an encoder each. Where several recognise a column, the
#: first one wins.
MODALITIES = (IMAGE, AUDIO, VIDEO, SEQUENCE, VECTOR, TEXT)
#: Kinds of columns that are encoded together, as one table.
TABLE_KINDS = (CATEGORY, NUMERIC, DATETIME, BOOLEAN)

BY_NAME = {modality.name: modality for modality in (*MODALITIES, *TABLE_KINDS)}
NAMES = tuple(modality.name for modality in MODALITIES)
TABLE_NAMES = tuple(kind.name for kind in TABLE_KINDS)
#: What a column is whose cells no modality recognises.
UNKNOWN = "unknown"
