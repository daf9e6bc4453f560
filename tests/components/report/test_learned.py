"""The map and the neighbours, against numpy on vectors whose answer is known, and their charts."""

import numpy as np
import pytest
import tensorflow as tf

from components.report.learned import FEW, MAPPED, learned, plane, without_years
from components.report.movie_maps import GREY, GROUPS, drawn_maps


def _model(vectors, ratings=None, genres=None, titles=None):
    """What an export holds of movies, after it was saved and loaded."""
    movies = len(vectors)
    module = tf.Module()
    module.tables = {"vectors": tf.Variable(np.asarray(vectors, np.float32))}
    module.catalogue = tf.Module()
    module.catalogue.movie_id = tf.Variable([f"m{row}" for row in range(movies)])
    module.catalogue.movie_title = tf.Variable(titles or [f"T{row}" for row in range(movies)])
    module.catalogue.year = tf.Variable([1990 + row % 30 for row in range(movies)])
    module.catalogue.genre_names = tf.Variable(genres or ["War\x1fDrama"] * movies)
    counts = np.arange(movies)[::-1] if ratings is None else ratings
    module.catalogue.ratings = tf.Variable(np.asarray(counts, np.int64))
    return module


@pytest.fixture(scope="module")
def clusters():
    """Two clusters of 20 movies in 8 dimensions, far from each other."""
    rng = np.random.default_rng(3)
    centres = np.repeat(10 * np.eye(8)[:2], 20, axis=0)
    return centres + rng.normal(size=(40, 8))


def test_axes_are_the_eigenvectors_of_the_covariance(clusters):
    points, share = plane(clusters)
    values, axes = np.linalg.eigh(np.cov(clusters.T))
    np.testing.assert_allclose(share, values[::-1][:2] / values.sum())
    for column, axis in enumerate(axes.T[::-1][:2]):
        axis = axis if axis[np.abs(axis).argmax()] > 0 else -axis
        np.testing.assert_allclose(points[:, column], (clusters - clusters.mean(0)) @ axis)
    sides = np.sign(points[:, 0])
    assert len({*sides[:20]}) == len({*sides[20:]}) == 1 and sides[0] != sides[-1]


def test_what_movies_of_a_year_share_is_not_on_the_map(clusters):
    years = np.repeat([1990, 2000], 20)
    left = without_years(clusters, years)
    gap = [np.linalg.norm(v[:20].mean(0) - v[20:].mean(0)) for v in (clusters, left)]
    assert gap[1] == pytest.approx(gap[0] * FEW / (20 + FEW))
    apart = without_years(clusters, np.tile([1990, 2000], 20))
    assert np.linalg.norm(apart[:20].mean(0) - apart[20:].mean(0)) == pytest.approx(gap[0], rel=0.1)


def test_the_most_rated_are_shown_as_the_export_knows_them(tmp_path):
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(MAPPED + 50, 4))
    ratings = rng.permutation(len(vectors))
    titles: list[str | bytes] = [""] * len(vectors)
    best = int(ratings.argmax())
    titles[best] = b"\xff Best"
    genres = ["War\x1fDrama"] * best + [""] + ["War\x1fDrama"] * (len(vectors) - best - 1)

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.int32)]
    )
    def similar(movie_id, k):
        named = tf.repeat(movie_id[:, tf.newaxis], k[0], 1)
        return {"movie_id": named, "movie_title": tf.where(named == "m7", "", "like " + named)}

    model = _model(vectors, ratings, genres, titles)
    tf.saved_model.save(model, str(tmp_path), {"similar": similar})
    found = learned(tf.saved_model.load(str(tmp_path)))
    assert found is not None
    order = ratings.argsort()[::-1]
    assert found["movies"][0]["title"] == found["neighbours"][0]["title"] == "\ufffd Best"
    assert [movie["title"] for movie in found["movies"][1:]] == [
        f"movie m{row}" for row in order[1:MAPPED]
    ]
    assert [movie["year"] for movie in found["movies"]] == (1990 + order[:MAPPED] % 30).tolist()
    assert found["movies"][0]["genres"] == [] and found["movies"][1]["genres"] == ["War", "Drama"]
    mapped = vectors[order[:MAPPED]].astype(np.float32).astype(np.float64)
    points, share = plane(without_years(mapped, 1990 + order[:MAPPED] % 30))
    places = [[movie["x"], movie["y"]] for movie in found["movies"]]
    np.testing.assert_allclose(places, points / np.abs(points).max(), atol=0.0006)
    assert found["share"] == share.round(3).tolist()
    assert [row["nearest"] for row in found["neighbours"]] == [
        [f"like m{row}" if row != 7 else "movie m7"] * 5 for row in order[:10]
    ]


@pytest.mark.parametrize(
    "vectors",
    [np.ones([5, 4]), np.full([5, 4], np.nan), np.arange(5.0)[:, np.newaxis], np.eye(4)[:1]],
    ids=["all alike", "no numbers", "one dimension", "one movie"],
)
def test_what_spans_no_plane_is_left_out(vectors):
    assert learned(_model(vectors)) is None


def test_a_model_without_vectors_is_left_out():
    assert learned(tf.Module()) is None
    other = _model(np.eye(4))
    other.tables = {"towers": other.tables["vectors"]}
    assert learned(other) is None


def _movies(genres, years):
    pairs = zip(genres, years, strict=True)
    return [{"title": "t", "genres": own, "year": year, "x": 0, "y": 0} for own, year in pairs]


def test_frequent_genres_and_new_decades_have_colours_and_the_rest_is_grey():
    genres = [[f"g{i}", "x"] for i in range(8) for _ in range(9 - i)] + [[]]
    years = [1930 + 10 * (i % 9) for i in range(len(genres) - 1)] + [0]
    found = drawn_maps({"movies": _movies(genres, years)})
    scale = found["map-genre"]["encoding"]["color"]["scale"]
    assert scale["domain"] == [*(f"g{i}" for i in range(GROUPS)), "other genres"]
    assert scale["range"][-1] == GREY and len({*scale["range"]}) == GROUPS + 1
    (rows,) = found["map-genre"]["datasets"].values()
    assert [row["group"] for row in rows[:6]] == ["other genres"] * 6  # under the coloured ones
    assert sum(row["group"] == "g0" for row in rows) == 9
    decades = found["map-decade"]["encoding"]["color"]["scale"]
    assert decades["domain"][:2] == ["1960s", "1970s"]
    assert decades["domain"][-2:] == ["2010s", "older or unknown"]


def test_without_years_or_genres_there_is_one_grey_map():
    found = drawn_maps({"movies": _movies([[], []], [0, 0])})
    assert list(found) == ["map-genre"]
    scale = found["map-genre"]["encoding"]["color"]["scale"]
    assert scale == {"domain": ["other genres"], "range": [GREY]}
