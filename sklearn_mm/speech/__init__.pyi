from ._language_model import NgramLanguageModel as NgramLanguageModel
from ._recognizer import SpeechRecognizer as SpeechRecognizer
