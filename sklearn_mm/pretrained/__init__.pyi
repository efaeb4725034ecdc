from ._aligner import PretrainedAligner as PretrainedAligner
from ._audio import PretrainedAudioEncoder as PretrainedAudioEncoder
from ._image import PretrainedImageEncoder as PretrainedImageEncoder
from ._text import PretrainedTextEncoder as PretrainedTextEncoder
from ._tokenizer import PretrainedTokenizer as PretrainedTokenizer
