from ._tokenizer import TextTokenizer as TextTokenizer
from ._vectorizer import TextVectorizer as TextVectorizer
