"""The simplest ways to infer a unit group, on the same coded titles: best WRatio, best TF-IDF likeness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow.compute as pc
from rapidfuzz import fuzz, process
from sklearn.feature_extraction.text import TfidfVectorizer

from imputer.evaluate.figures import figure
from imputer.evaluate.intervals import mean_interval
from imputer.resolution.normalise import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from imputer.evaluate.figures import Figure
    from imputer.resolution.corpus import Corpus

TIER: Final = "resolution"
#: WRatio against 29,000 texts takes long: a seeded sample is enough to compare with.
SAMPLE: Final = 300


def baseline_figures(corpora: Mapping[str, Corpus], job_titles: pa.Table, seed: int) -> tuple[Figure, ...]:
    """Shares of English titles whose unit group comes first, and among the first five; none without coded titles."""
    coded = job_titles.filter(pc.is_valid(job_titles["unit_group"]))
    if not coded.num_rows:
        return ()
    corpus = corpora["en"]
    titles = [plain(title) for title in coded["title_en"].to_pylist()]
    truth = np.array([corpus.unit_groups.index(code) for code in coded["unit_group"].to_pylist()])
    texts = [plain(text) for text in corpus.texts]
    sample = np.sort(np.random.default_rng(seed).permutation(len(titles))[:SAMPLE])
    fuzzy = _ranks(fuzzy_likeness([titles[row] for row in sample], texts), corpus, truth[sample])
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, dtype=np.float32)
    known = vectorizer.fit_transform(texts)
    ranks = [
        _ranks((vectorizer.transform(titles[at : at + 200]) @ known.T).toarray(), corpus, truth[at : at + 200])
        for at in range(0, len(titles), 200)
    ]
    tfidf = np.concatenate(ranks)
    made = []
    for name, found in (("WRatio", fuzzy), ("TF-IDF", tfidf)):
        note = (f"{len(found)} English titles", f"{len(found)} titres anglais")
        for words, count in ((("unit group first", "groupe de base en tête"), 1), (("first five", "cinq premiers"), 5)):
            label = (f"baseline {name}: {words[0]}", f"référence {name} : {words[1]}")
            made.append(figure(TIER, label, mean_interval(found < count, seed), percent=True, note=note))
    return tuple(made)


def fuzzy_likeness(titles: Sequence[str], texts: Sequence[str]) -> NDArray[np.float32]:
    """(titles, texts): rapidfuzz WRatio, 0 to 100, by an exhaustive comparison on one core."""
    found: NDArray[np.float32] = process.cdist(titles, texts, scorer=fuzz.WRatio, dtype=np.float32, workers=1)
    return found


def _ranks(alike: NDArray[np.float32], corpus: Corpus, truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many unit groups come before the true one; among equals, file order decides."""
    best = np.maximum.reduceat(alike, corpus.starts[:-1], axis=1)
    order = np.argsort(-best, axis=1, kind="stable")
    found: NDArray[np.int64] = (order == truth[:, None]).argmax(axis=1)
    return found
