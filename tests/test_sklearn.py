"""The estimators, judged by scikit-learn: its checks, its own tests, its own estimators beside them, its tools."""

import copy
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'plainnet[sklearn]'")
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_multilabel_classification, make_regression
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, HalvingRandomSearchCV, cross_val_predict, cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from plainnet import InputError, load_model
from plainnet.layers import Conv2D, Dropout, Flatten, MaxPool, ReLU
from plainnet.schedules import cosine
from plainnet.sklearn import PlainnetClassifier, PlainnetRegressor

pytestmark = pytest.mark.filterwarnings("ignore")
ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def as_users_have_it():
    with np.errstate(under="ignore"):  # squares of small gradients
        yield


X, Y = load_digits(return_X_y=True)
X = X / 16


@parametrize_with_checks([PlainnetClassifier(), PlainnetRegressor()])
def test_scikit_learns_checks_of_an_estimator(estimator, check):
    check(estimator)


@pytest.mark.slow
def test_scikit_learns_own_tests_of_its_perceptrons():
    command = [sys.executable, str(ROOT / "benchmarks/sklearn_tests.py"), "--no-record"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"solver": "sgd", "learning_rate_init": 0.1},
        {"solver": "sgd", "learning_rate_init": 0.5, "nesterovs_momentum": False, "learning_rate": "adaptive"},
        {"solver": "sgd", "learning_rate_init": 0.5, "learning_rate": "invscaling"},
        {"activation": "tanh", "hidden_layer_sizes": (20, 10), "alpha": 0.1, "batch_size": 64},
        {"activation": "logistic", "early_stopping": True},
    ],
)
@pytest.mark.parametrize("classes", [2, 10])
def test_the_loss_curve_is_that_of_mlp_classifier(settings, classes):
    y = Y if classes == 10 else Y > 4
    theirs, ours = (
        kind(random_state=3, max_iter=15, **settings).fit(X, y) for kind in (MLPClassifier, PlainnetClassifier)
    )
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=0, atol=1e-6)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=1e-9)
    assert ours.validation_scores_ == theirs.validation_scores_


def test_the_loss_curve_is_that_of_mlp_for_numbers_and_labels_and_weights():
    A, b = make_regression(150, 8, n_targets=2, random_state=0)
    theirs, ours = (kind(random_state=3, max_iter=20).fit(A, b) for kind in (MLPRegressor, PlainnetRegressor))
    np.testing.assert_allclose(ours.predict(A), theirs.predict(A), atol=1e-8)
    np.testing.assert_allclose(
        np.array(ours.loss_curve_) / 2, theirs.loss_curve_, rtol=1e-3
    )  # the penalty is halved too
    A, b = make_multilabel_classification(random_state=0)
    theirs, ours = (kind(random_state=3, max_iter=20).fit(A, b) for kind in (MLPClassifier, PlainnetClassifier))
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, atol=1e-6)
    weights = np.random.default_rng(0).uniform(0.5, 2, len(X))
    theirs, ours = (kind(random_state=3, max_iter=5).fit(X, Y, weights) for kind in (MLPClassifier, PlainnetClassifier))
    np.testing.assert_allclose(ours.coefs_[1], theirs.coefs_[1], atol=1e-9)


def test_it_works_in_scikit_learns_tools():
    fast = PlainnetClassifier((16,), max_iter=15, learning_rate_init=0.01, random_state=0)
    grid = GridSearchCV(fast, {"alpha": [1e-4, 1e-2], "hidden_layer_sizes": [(8,), (16,)]}, n_jobs=2)
    assert grid.fit(X[:400], Y[:400]).best_score_ > 0.3
    search = HalvingRandomSearchCV(fast, {"alpha": [1e-4, 1e-3, 1e-2]}, random_state=0)
    assert search.fit(X[:400], Y[:400]).best_params_["alpha"] > 0
    assert CalibratedClassifierCV(fast).fit(X[:400], Y[:400]).predict_proba(X[:5]).shape == (5, 10)
    fitted = clone(fast).fit(X, Y)
    assert permutation_importance(fitted, X[:100], Y[:100], n_repeats=1).importances_mean.shape == (64,)
    assert cross_val_predict(fast, X[:300], Y[:300], method="predict_proba").shape == (300, 10)
    voting = VotingClassifier([("a", fast), ("b", PlainnetClassifier(solver="lbfgs", max_iter=30))], voting="soft")
    assert voting.fit(X[:400], Y[:400]).score(X, Y) > 0.5


def test_frames_of_pandas_and_polars_with_names_and_any_labels():
    pandas = pytest.importorskip("pandas")
    frame = load_iris(as_frame=True).frame
    y = frame.pop("target").map({0: "setosa", 1: "versicolor", 2: "virginica"})
    frame["place"] = np.where(frame.index % 2, "here", "there")
    columns = ColumnTransformer(
        [("n", StandardScaler(), list(frame.columns[:4])), ("w", OneHotEncoder(sparse_output=False), ["place"])]
    ).set_output(transform="pandas")
    pipeline = make_pipeline(columns, PlainnetClassifier(random_state=0))
    assert cross_val_score(pipeline, frame, y).mean() > 0.9
    fitted = pipeline.fit(frame, y)[-1]
    assert fitted.feature_names_in_[0] == "n__sepal length (cm)"
    assert set(fitted.predict(columns.transform(frame))) == set(y)
    polars = pytest.importorskip("polars")
    other = PlainnetClassifier(max_iter=5).fit(polars.from_pandas(frame.iloc[:, :4]), y)
    assert isinstance(other.feature_names_in_[0], str)
    assert isinstance(frame, pandas.DataFrame)


def test_layers_recipes_images_and_schedules():
    layers = [Conv2D(6, 3, padding="same"), ReLU(), MaxPool(2), Flatten(), Dropout(0.1)]
    images = PlainnetClassifier(
        layers=layers,
        image_shape=(8, 8),
        max_iter=12,
        augmentation={"shift": 0.5},
        schedule=cosine(0.01),
        random_state=0,
    ).fit(X, Y)
    assert images.score(X, Y) > 0.9
    assert len(images.network_.layers) == 6
    by_recipe = PlainnetClassifier(recipe="table", epochs=4, early_stopping=True, random_state=0).fit(X, Y)
    assert by_recipe.n_iter_ == len(by_recipe.validation_scores_) == 4
    assert by_recipe.score(X, Y) > 0.9
    two = PlainnetClassifier(recipe="table", epochs=4, random_state=0).fit(X, Y > 4)
    assert two.predict_proba(X).shape == (len(X), 2)
    assert PlainnetRegressor(recipe="table", epochs=5, random_state=0).fit(*load_diabetes(return_X_y=True)).n_iter_ == 5
    dropped = PlainnetClassifier((30,), dropout=0.2, max_iter=5, random_state=0).fit(X, Y)
    again = PlainnetClassifier((30,), dropout=0.2, max_iter=5, random_state=0).fit(X, Y)
    np.testing.assert_array_equal(dropped.coefs_[0], again.coefs_[0])
    pixels = (X * 255).astype(np.uint8)
    byte = PlainnetClassifier((30,), max_iter=60, image_shape=(8, 8), random_state=0).fit(pixels, Y)
    assert byte.score(pixels, Y) > 0.9
    assert byte.coefs_[0].dtype == np.float32
    with pytest.raises(ValueError, match="was trained on pixels"):
        byte.predict(pixels.astype(float))
    hot = (X > 0.5).astype(np.uint8)  # numbers like others, where nothing says that they are pixels
    table = PlainnetClassifier((30,), max_iter=20, random_state=0).fit(hot, Y)
    np.testing.assert_array_equal(table.predict(hot), table.predict(hot.astype(float)))


def test_weights_of_classes_and_validation_data_of_ones_own():
    rare = (Y == 8) & (np.arange(len(Y)) % 3 == 0)
    plain, balanced = (
        PlainnetClassifier((8,), max_iter=10, class_weight=weight, random_state=0).fit(X, rare)
        for weight in (None, "balanced")
    )
    assert balanced.predict(X).sum() > plain.predict(X).sum()
    early = PlainnetClassifier(early_stopping=True, max_iter=8, random_state=0)
    early.fit(X[:1000], Y[:1000], X_val=X[1000:], y_val=Y[1000:])
    assert early.best_validation_score_ == early.score(X[1000:], Y[1000:]) == max(early.validation_scores_)


def test_callbacks_in_scikit_learns_form():
    callback = pytest.importorskip("sklearn.callback", reason="needs scikit-learn 1.9")
    told = []

    class Watch:
        def setup(self, estimator, context): ...
        def teardown(self, estimator, context): ...
        def on_fit_task_begin(self, estimator, context): ...
        def on_fit_task_end(self, estimator, context, *, fitted_estimator):
            told.append((context.task_name, fitted_estimator.score(X, Y)))
            return len(told) == 3

    watched = PlainnetClassifier((8,), max_iter=20, random_state=0).set_callbacks(Watch()).fit(X, Y)
    assert watched.n_iter_ == 3
    assert [name for name, _ in told] == ["epoch 1", "epoch 2", "epoch 3", "fit"]
    assert told[0][1] != told[2][1] == told[3][1] == watched.score(X, Y)
    assert callback.FitCallback is not None


@pytest.mark.parametrize("labels", ["digits", "texts", "two", "several", "numbers"])
def test_saved_and_loaded_it_answers_the_same(labels, tmp_path):
    kind, y = PlainnetClassifier, Y
    if labels == "texts":
        y = np.array(["ant", "bee", "cat"])[Y % 3]
    elif labels == "two":
        y = Y > 4
    elif labels == "several":
        y = np.stack([Y > 4, Y % 2, Y == 3], axis=1).astype(int)
    elif labels == "numbers":
        kind, y = PlainnetRegressor, Y.astype(float)
    saved = kind((10,), max_iter=5, alpha=0.01, random_state=0).fit(X, y)
    saved.save(tmp_path / "e.safetensors")
    loaded = kind.load(tmp_path / "e.safetensors")
    np.testing.assert_array_equal(loaded.predict(X), saved.predict(X))
    assert loaded.predict(X).dtype == saved.predict(X).dtype
    assert loaded.get_params() == saved.get_params()
    assert load_model(tmp_path / "e.safetensors").predict(X[:3]).shape[0] == 3
    loaded.partial_fit(X, y)
    again = pickle.loads(pickle.dumps(saved))
    np.testing.assert_array_equal(again.predict(X), saved.predict(X))


def test_what_cannot_be_saved_or_loaded_says_so(tmp_path):
    counts = PlainnetRegressor(loss="poisson", max_iter=3).fit(X, Y)
    with pytest.raises(InputError, match="outputs logarithms"):
        counts.save(tmp_path / "p.safetensors")
    with pytest.raises(NotFittedError):
        PlainnetClassifier().save(tmp_path / "n.safetensors")
    PlainnetClassifier(max_iter=2).fit(X, Y).save(tmp_path / "c.safetensors")
    with pytest.raises(InputError, match="holds PlainnetClassifier, not a PlainnetRegressor"):
        PlainnetRegressor.load(tmp_path / "c.safetensors")
    with pytest.raises(InputError, match="holds a model, not a PlainnetClassifier"):
        PlainnetClassifier.load("cnn")


def test_a_pipeline_goes_through_skops():
    io = pytest.importorskip("skops.io", reason="needs skops: pip install skops")
    pipeline = make_pipeline(StandardScaler(), PlainnetClassifier((10,), max_iter=5, random_state=0)).fit(X, Y)
    content = io.dumps(pipeline)
    again = io.loads(content, trusted=io.get_untrusted_types(data=content))
    np.testing.assert_array_equal(again.predict(X), pipeline.predict(X))


def test_the_gradients_of_an_estimator_are_proven():
    for estimator, y in (
        (PlainnetClassifier((5,), max_iter=3, random_state=0), Y),
        (PlainnetClassifier((5,), max_iter=3, random_state=0), Y > 4),
        (PlainnetRegressor((5,), max_iter=3, random_state=0), Y.astype(float)),
        (PlainnetRegressor((5,), max_iter=3, random_state=0, loss="poisson"), Y.astype(float)),
    ):
        report = estimator.fit(X, y).check_gradients(X, y)
        assert report.right, str(report)


def test_weights_that_are_given_are_the_first_ones():
    first = PlainnetClassifier((6,), max_iter=1, random_state=0).fit(X, Y)
    second = PlainnetClassifier((6,), random_state=5)
    second.coefs_, second.intercepts_ = copy.deepcopy(first.coefs_), copy.deepcopy(first.intercepts_)
    second.n_features_in_, second.classes_ = X.shape[1], first.classes_
    second.partial_fit(X, Y)
    assert np.abs(second.coefs_[0] - first.coefs_[0]).max() < 0.05
    with pytest.raises(ValueError, match="must hold arrays of shape"):
        second.coefs_ = [np.zeros((3, 3)), np.zeros((6, 10))]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"activation": "relus"}, "activation"),
        ({"image_shape": (3, 3)}, "image_shape"),
        ({"layers": ["Dense"]}, "layers must be a list of layers"),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes must be > 0"),
        ({"recipe": "none", "max_iter": 200}, "unknown recipe"),
        ({"recipe": "table", "max_iter": 200, "dropout": 0.1}, "a recipe has its own dropout"),
        ({"recipe": "table"}, "leave out max_iter"),
        ({"recipe": "minute", "max_iter": 200}, r"image_shape=\(28, 28\)"),
        ({"recipe": "fast99", "max_iter": 200}, r"image_shape=\(28, 28\)"),
        ({"layers": [ReLU()], "dropout": 0.1}, "put Dropout"),
        ({"solver": "lbfgs", "schedule": cosine(0.1)}, "leave out schedule"),
        ({"augmentation": {"shift": 1.0}}, "augmentation is for images"),
        ({"augmentation": {"turn": 3}, "image_shape": (8, 8)}, "turn"),
    ],
)
def test_parameters_that_cannot_be_used_say_so(settings, says):
    with pytest.raises((ValueError, InputError), match=says), warnings.catch_warnings():
        PlainnetClassifier(**{"max_iter": 2, **settings}).fit(X, Y)


def test_it_cannot_be_imported_without_scikit_learn():
    code = "import sys; sys.modules['sklearn'] = None; import plainnet.sklearn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'plainnet[sklearn]'" in done.stderr


def test_schedules_and_layers_are_pickled_and_can_be_read():
    made = PlainnetClassifier(layers=[Dropout(0.1)], schedule=cosine(0.01), max_iter=2, random_state=0).fit(X, Y)
    again = pickle.loads(pickle.dumps(made))
    np.testing.assert_array_equal(again.predict(X), made.predict(X))
    assert "Dropout(rate=0.1)" in repr(made)
    assert "one_cycle(learning_rate=0.01" in repr(made)


def test_a_file_says_which_parameters_it_does_not_hold(tmp_path):
    PlainnetClassifier(schedule=cosine(0.01), max_iter=2).fit(X, Y).save(tmp_path / "s.safetensors")
    with pytest.warns(UserWarning, match="does not hold schedule"):
        PlainnetClassifier.load(tmp_path / "s.safetensors")


def test_a_single_class_is_answered_whatever_the_seed():
    for seed in range(6):
        one = PlainnetClassifier(max_iter=3, random_state=seed).fit(X[:40], np.zeros(40, int))
        assert set(one.predict(X)) == {0}
