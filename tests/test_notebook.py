"""How a network and a history show themselves in a notebook."""

import re
import xml.etree.ElementTree as ElementTree

from plainnet import Dense, Epoch, Network, ReLU
from plainnet.history import History
from plainnet.notebook import curves, table


def epoch(number, **changes):
    values = {"train_loss": 1 / number, "train": {"accuracy": 0.5}, "validation_loss": None, "validation": None}
    return Epoch(number, **(values | changes), learning_rate=0.1, seconds=1.5)


def cells(html):
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in re.findall(r"<tr>(.*?)</tr>", html)]


def test_a_network_shows_its_layers():
    network = Network(Dense(4), ReLU(), Dense(2))
    assert network._repr_html_() == "<p>a network of 3 layers that is not built yet</p>"
    network.build((3,))
    assert cells(network._repr_html_()) == [
        ["layer", "output", "parameters"], ["Dense", "4", "16"], ["ReLU", "4", "0"], ["Dense", "2", "10"],
        ["total", "", "26"],
    ]  # fmt: skip
    assert [line.split() for line in network.summary().splitlines()] == [
        ["layer", "output", "parameters"], ["Dense", "4", "16"], ["ReLU", "4", "0"], ["Dense", "2", "10"],
        ["total", "26"],
    ]  # fmt: skip


def test_a_history_shows_curves_and_a_table():
    assert History()._repr_html_() == "<p>no epoch is complete</p>"
    html = History(map(epoch, range(1, 4)))._repr_html_()
    assert html.count("<svg") == 2
    rows = cells(html)
    assert rows[0][:3] == ["epoch", "train loss", "train accuracy"]
    assert [row[:2] for row in rows[1:]] == [["1", "1"], ["2", "0.5"], ["3", "0.3333"]]
    assert rows[1][3] == ""  # nothing was validated
    long = cells(History(map(epoch, range(1, 31)))._repr_html_())
    assert [row[0] for row in long[1:]] == [*"123456", "\u2026", *map(str, range(25, 31))]
    assert len(cells(History(map(epoch, range(1, 13)))._repr_html_())) == 13
    numbers = History([epoch(1, train={}, validation_loss=0.5, validation={})])
    assert numbers._repr_html_().count("<svg") == 1


def test_curves_go_where_the_figures_are():
    picture = ElementTree.fromstring(
        curves("a & b", {"training": [7.0, 1.0, 4.0], "validation": [None, float("nan"), 7.0]})
    )
    names = {"s": "http://www.w3.org/2000/svg"}
    lines = [
        [tuple(map(float, point.split(","))) for point in line.get("points").split()]
        for line in picture.findall("s:polyline", names)
    ]
    first, second = lines
    assert [x for x, _ in first] == [72, 241, 410]
    assert [y for _, y in first] == [30, 190, 110]  # the highest on top
    assert second == [(410, 30)]
    said = ["".join(text.itertext()) for text in picture.findall("s:text", names)]
    assert {"a & b", "7", "1", "epoch 1", "training", "validation"} <= set(said)
    places = {"".join(t.itertext()): (float(t.get("x")), float(t.get("y"))) for t in picture.findall("s:text", names)}
    assert all(60 <= x <= 410 and 10 <= y <= 215 for x, y in places.values())
    assert places["7"][0] == places["1"][0] < places["a & b"][0] == places["epoch 1"][0]
    assert places["7"][1] < 50
    assert places["1"][1] > 180
    assert places["training"][0] < places["validation"][0] - 70
    dots = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in picture.findall("s:circle", names)]
    assert dots == [first[-1], second[-1]]
    (alone,) = ElementTree.fromstring(curves("one", {"training": [3.0]})).findall("s:polyline", names)
    assert alone.get("points").split(",")[0] == "241.0"
    empty = curves("none", {"training": []})
    assert ElementTree.fromstring(empty) is not None


def test_texts_are_escaped():
    assert "&lt;script&gt;" in table(["<script>"], [["a"]])
