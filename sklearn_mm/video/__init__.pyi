from ._loader import VideoLoader as VideoLoader
