from ._context import ContextWindow as ContextWindow
from ._pipeline import multimodal_pipeline as multimodal_pipeline
from ._selector import make_modality_selector as make_modality_selector
from ._vectorizer import MultimodalVectorizer as MultimodalVectorizer
