from ._canonical import CanonicalAligner as CanonicalAligner
from ._neighbors import FaissNeighbors as FaissNeighbors
from ._retriever import CrossModalRetriever as CrossModalRetriever
from ._zero_shot import ZeroShotClassifier as ZeroShotClassifier
