"""Trust: calibration, promises, sets, familiarity, stress, suspects; judged by scikit-learn, SciPy, ART, cleanlab."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest

from plainnet import DataSet, Dense, InputError, Model, Network, SoftmaxCrossEntropy, load_model, promises, save_model
from plainnet.calibration import Calibration
from plainnet.cli.app import main
from plainnet.evaluation import Evaluation, evaluate
from plainnet.evaluation.trust import Trust, tempered
from plainnet.familiarity import Familiarity, familiar_odds
from plainnet.recipes import read
from plainnet.softmax import softmax
from plainnet.stress import stress
from plainnet.stress.attacks import ATTACKS, fast_gradient_sign, projected_gradient
from plainnet.stress.corruptions import CORRUPTIONS, SEVERITIES

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def as_users_have_it():
    with np.errstate(under="ignore"):
        yield


def drawn(count=4000, classes=4, sharpness=1.0):
    """Probabilities, and labels that are as they say for a sharpness of 1."""
    logits = 2 * RNG.standard_normal((count, classes))
    truth = softmax(logits)
    labels = (truth.cumsum(axis=1) > RNG.random((count, 1))).argmax(axis=1)
    return softmax(sharpness * logits), labels


def test_the_figures_are_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn: make extras")
    p, labels = drawn()
    trust = Trust(p, labels)
    assert trust.log_loss == pytest.approx(metrics.log_loss(labels, p), rel=1e-9)
    own = metrics.brier_score_loss(labels, p, scale_by_half=False)
    assert trust.brier == pytest.approx(own, rel=1e-9)
    coverage, risk = trust.risk_against_coverage
    assert coverage[-1] == 1
    assert risk[-1] == pytest.approx(1 - metrics.accuracy_score(labels, p.argmax(axis=1)))
    from sklearn.calibration import calibration_curve

    accuracies, confidences = calibration_curve(trust.right, trust.confidences, n_bins=15, strategy="quantile")
    bins = trust.bins()
    np.testing.assert_allclose([c for c, _, _ in bins], confidences, atol=2e-3)
    np.testing.assert_allclose([a for _, a, _ in bins], accuracies, atol=8e-3)


def test_chance_alone_is_no_calibration_error_but_a_wrong_temperature_is():
    honest = np.mean([Trust(*drawn()).calibration_error for _ in range(20)])
    plain = np.mean([sum(n * abs(c - a) for c, a, n in Trust(*drawn()).bins()) / 4000 for _ in range(20)])
    assert honest < 0.6 * plain
    p, labels = drawn(sharpness=1.5)
    assert Trust(p, labels).calibration_error > 0.03
    assert Trust(tempered(p, 1.5), labels).calibration_error < 0.012


def test_a_temperature_on_probabilities_is_one_on_logits():
    logits = 3 * RNG.standard_normal((50, 6))
    np.testing.assert_allclose(tempered(softmax(logits), 1.7), softmax(logits / 1.7), atol=1e-9)
    sure = tempered(np.array([[1.0, 0.0]]), 2.0)
    assert np.isfinite(sure).all()


def test_errors_are_as_few_as_scipy_says():
    stats = pytest.importorskip("scipy.stats", reason="needs SciPy: make extras")
    for errors, trials, rate in ((0, 10, 0.1), (0, 3000, 0.001), (3, 50, 0.02), (40, 9000, 0.005), (9, 10, 0.5)):
        assert promises.as_few(errors, trials, rate) == pytest.approx(stats.binom.cdf(errors, trials, rate), rel=1e-9)


def test_what_is_promised_is_kept_in_nineteen_of_twenty_draws():
    broken = {"0.9": 0, "0.95": 0, "0.98": 0}
    for _ in range(60):
        p, labels = drawn(3000, sharpness=1.4)
        found = promises.certain(p.max(axis=1), p.argmax(axis=1) == labels)
        p, labels = drawn(20000, sharpness=1.4)
        for share in broken:
            if share in found:
                accuracy = Trust(p, labels).kept(found[share])[1]
                broken[share] += accuracy is not None and accuracy < float(share)
    assert max(broken.values()) <= 8  # 3 are expected of 60


def test_sets_hold_the_truth_as_often_as_promised():
    shares = []
    for _ in range(40):
        p, labels = drawn(1500)
        least = promises.sets(p[np.arange(len(p)), labels])["0.95"]
        p, labels = drawn(4000)
        shares.append((p[np.arange(len(p)), labels] >= least).mean())
    assert np.mean(shares) == pytest.approx(0.95, abs=0.005)
    assert "0.999" not in promises.sets(np.linspace(0, 1, 500))  # too few to promise it
    assert promises.named(0.97) == "0.98"
    assert promises.named(0.99999) == ""


def test_siblings_promise_what_all_of_them_do():
    first = Calibration(2.0, 0.5, {"0.9": 0.4, "0.99": 0.8}, {"0.9": 0.2})
    second = Calibration(0.5, 0.7, {"0.9": 0.6}, {"0.9": 0.4})
    both = Calibration.of_siblings([first, second])
    assert both.temperature == pytest.approx(1.0)
    assert both.threshold == pytest.approx(0.6)
    assert both.certain == {"0.9": pytest.approx(0.5)}
    assert both.sets == {"0.9": pytest.approx(0.3)}


def model_of_digits(**more):
    network = read("softmax").network(rng=0)
    return Model(network, tuple("0123456789"), **more)


def test_a_model_file_carries_what_is_promised(tmp_path):
    images = RNG.integers(0, 256, (300, 28, 28)).astype(np.uint8)
    familiar = Familiarity.learned(images)
    model = model_of_digits(certain={"0.9": 0.5}, sets={"0.9": 0.1}, familiar=familiar)
    save_model(tmp_path / "m.safetensors", model)
    again = load_model(tmp_path / "m.safetensors")
    assert again.sure_of(0.85) == 0.5
    assert again.of_sets(0.9) == 0.1
    np.testing.assert_allclose(again.familiar.score(images), familiar.score(images))
    for call, says in (
        (lambda: again.sure_of(0.95), "the most that it promises is 0.9"),
        (lambda: again.sure_of(3), "must lie between 0 and 1"),
        (lambda: model_of_digits().of_sets(0.9), "was not calibrated"),
        (lambda: Familiarity.from_table({"mean": [1]}), "description of familiarity is invalid"),
    ):
        with pytest.raises(InputError, match=says):
            call()


def test_predict_refuses_below_a_promise_and_gives_sets(tmp_path, capsys):
    X = RNG.standard_normal((3000, 2)).astype(np.float32)
    y = np.array(["low", "high"])[(X.sum(axis=1) + 0.4 * RNG.standard_normal(3000) > 0).astype(int)]
    np.savez(tmp_path / "d.npz", X=X, y=y)
    np.savez(tmp_path / "new.npz", X=np.float32([[3, 3], [0.02, 0.01], [-3, -3]]))
    out = str(tmp_path / "out")
    assert main(["train", "--data", str(tmp_path / "d.npz"), "--epochs", "8", "--no-pictures", "--out", out]) == 0
    model = f"{out}/model_final.safetensors"
    told = tmp_path / "t.json"
    command = ["predict", model, str(tmp_path / "new.npz"), "--certain", "0.98", "--sets", "0.98", "--json", str(told)]
    assert main(command) == 0
    rows = json.loads(told.read_text())
    assert [row["answer"] for row in rows] == ["high", None, "low"]
    assert [len(row["set"]) for row in rows] == [1, 2, 1]
    assert "{high, low}" in capsys.readouterr().out.replace("{low, high}", "{high, low}")
    assert main(["predict", model, str(tmp_path / "new.npz"), "--certain", "0.9995"]) == 2
    metrics = json.loads((tmp_path / "out/metrics.json").read_text())
    kept = metrics["trust"]["certain"]["0.98"]
    assert kept["accuracy"] > 0.96  # of a few hundred examples
    assert 0.3 < kept["coverage"] < 1
    assert main(["evaluate", model, "--plot", str(tmp_path / "r.png")]) == 0
    assert "calibration error" in capsys.readouterr().out
    assert (tmp_path / "r.png").read_bytes()[:4] == b"\x89PNG"


def test_what_is_unlike_is_unfamiliar(digits):
    familiar = Familiarity.learned(digits.train.inputs)
    own = familiar.score(digits.test.inputs)
    noise = familiar.score(RNG.integers(0, 256, digits.test.inputs.shape).astype(np.uint8))
    photo = familiar.score(np.full((5, 28, 28), 180, np.uint8))
    assert (own > familiar.least).mean() > 0.99
    assert max(noise.max(), photo.max()) < familiar.least
    odds = familiar_odds(np.full(len(own), 0.99), own)
    assert odds.min() > familiar_odds(np.array([0.99]), noise[:1])[0]
    assert Familiarity.learned(np.zeros((10, 5))) is None
    color = np.repeat(digits.test.inputs[:50, :, :, None], 3, axis=3)
    assert np.corrcoef(familiar.score(color), familiar.score(digits.test.inputs[:50]))[0, 1] > 0.9  # but for rounding


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_corruption_gets_worse_with_its_severity(name, digits):
    for images in (digits.test.inputs[:60] / np.float32(255), RNG.random((6, 12, 16, 3)).astype(np.float32)):
        before, away = images.copy(), []
        for severity in SEVERITIES:
            found = CORRUPTIONS[name](images, severity, np.random.default_rng(0))
            assert found.shape == images.shape
            assert found.dtype == np.float32
            assert 0 <= found.min() <= found.max() <= 1
            away.append(float(np.abs(found - images).mean()))
        np.testing.assert_array_equal(images, before)
        if images.ndim == 3:
            assert away[0] > 0
            assert all(next_ > 0.97 * last for last, next_ in pairwise(away))


def trained(digits):
    from plainnet import Adam, fit

    network = read("softmax").network(rng=0)
    fit(network, SoftmaxCrossEntropy(), Adam(), digits.train, batch_size=64, epochs=4, learning_rate=0.003)
    return network


def test_attacks_stay_within_their_limit_and_succeed(digits):
    network = trained(digits)
    x, labels = digits.test.inputs[:100] / np.float32(255), digits.test.targets[:100]
    before = (network.predict(x) == labels).mean()
    for attack in ATTACKS.values():
        changed = attack(network, x, labels, 0.1, 0)
        assert np.abs(changed - x).max() <= 0.1 + 1e-6
        assert 0 <= changed.min() <= changed.max() <= 1
        assert (network.predict(changed) == labels).mean() < before - 0.3


def test_the_adversarial_robustness_toolbox_agrees(digits):
    attacks = pytest.importorskip("art.attacks.evasion", reason="needs adversarial-robustness-toolbox")
    torch = pytest.importorskip("torch")
    from art.estimators.classification import PyTorchClassifier

    from plainnet.bench.torch_peer import twin

    network = trained(digits)
    x, labels = digits.test.inputs[:200] / np.float32(255), digits.test.targets[:200].astype(np.int64)
    flat = x.reshape(len(x), -1)
    model = PyTorchClassifier(
        twin(network), loss=torch.nn.CrossEntropyLoss(), input_shape=(784,), nb_classes=10, clip_values=(0, 1)
    )
    for limit in (0.05, 0.1, 0.2):
        theirs = attacks.FastGradientMethod(model, eps=limit).generate(flat, labels)
        away = np.abs(fast_gradient_sign(network, flat, labels, limit) - theirs) > 1e-6
        assert away.mean() < 1e-4  # where the gradient is as good as zero
        descent = attacks.ProjectedGradientDescent(
            model, eps=limit, eps_step=2.5 * limit / 20, max_iter=20, num_random_init=1, verbose=False
        )
        own = (network.predict(projected_gradient(network, flat, labels, limit)) == labels).mean()
        other = (network.predict(descent.generate(flat, labels)) == labels).mean()
        assert own == pytest.approx(other, abs=0.03)


def test_stress_from_the_shell(tmp_path, capsys):
    official = tmp_path / "c" / "fog"
    official.mkdir(parents=True)
    np.save(official / "test_images.npy", RNG.integers(0, 256, (20, 28, 28, 1)).astype(np.uint8))
    np.save(official / "test_labels.npy", np.arange(20) % 10)
    picture, told = tmp_path / "s.png", tmp_path / "s.json"
    command = ["stress", "cnn", "--limit", "40", "--out", str(picture), "--json", str(told)]
    assert main([*command, "--mnist-c", str(tmp_path / "c")]) == 0
    assert "Stronger attacks may succeed" in capsys.readouterr().out
    table = json.loads(told.read_text())
    assert set(table["corruptions"]) == set(CORRUPTIONS)
    assert table["accuracy"] > 0.9 > table["mean_corrupted_accuracy"]
    assert table["attacks"]["projected gradient"]["0.3"] < 0.2
    assert "fog" in table["mnist_c"]
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert main([*command[:2], "--mnist-c", str(tmp_path)]) == 2
    rows = DataSet(RNG.standard_normal((20, 3)), np.arange(20) % 2)
    with pytest.raises(InputError, match="needs a classifier of images"):
        stress(Model(Network(Dense(2)).build((3,)), ("a", "b")), rows)


def test_suspects_are_ranked_as_cleanlab_ranks_them():
    rank = pytest.importorskip("cleanlab.rank", reason="needs cleanlab: pip install cleanlab")
    from plainnet.sources.suspects import judged, suspects

    X = np.concatenate([RNG.standard_normal((150, 2)) + at for at in ((0, 4), (4, 0), (-4, -3))])
    labels = np.repeat(np.arange(3), 150)
    wrong = RNG.choice(450, 12, replace=False)
    labels[wrong] = (labels[wrong] + 1) % 3
    data = DataSet(X, labels)
    rows, shares = judged(data)
    quality = rank.get_label_quality_scores(labels[rows], shares, method="normalized_margin")
    found = [suspect.row for suspect in suspects(data, 10)]
    assert set(found) <= set(rows[np.argsort(quality)[:14]].tolist())
    assert len(set(found) & set(wrong.tolist())) >= 9


@pytest.mark.slow
def test_eight_of_the_known_label_errors_of_mnist_are_among_the_first_thirty():
    from plainnet import mnist
    from plainnet.sources.suspects import suspects

    # those that at least three of five people judged to be wrong, by Northcutt, Athalye, Mueller 2021
    known = {947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729}
    data = mnist.load()
    found = {suspect.row for suspect in suspects(data.test, 30, data.train)}
    assert len(found & known) >= 8


def test_an_evaluation_takes_the_temperature_once():
    p, labels = drawn(200, 3)
    data = DataSet(np.zeros((200, 2)), labels, ("a", "b", "c"), kind="classes")
    result = Evaluation(data, p, 1.6)
    np.testing.assert_allclose(result.trust.probabilities, tempered(p, 1.6))
    assert result.trust.log_loss == pytest.approx(Trust(tempered(p, 1.6), labels).log_loss)


def test_an_evaluation_says_how_far_to_trust_it(digits):
    result = evaluate(load_model("cnn").network, digits.test, temperature=1.3, certain={"0.999": 0.9})
    told = dict(result.trust_lines())
    assert "without the temperature" in told["calibration error"]
    assert "of the answers" in told["99.9 % certain"]
    assert math.isfinite(result.to_table()["trust"]["log_loss"])
