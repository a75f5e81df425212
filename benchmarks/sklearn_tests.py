"""scikit-learn's own tests of its multilayer perceptrons, with our classes instead: writes records/sklearn_tests.json.

The tests are those of the installed scikit-learn; a test function counts if all its cases pass.

    python benchmarks/sklearn_tests.py [--no-record]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import sklearn
from sklearn import neural_network

from plainnet.sklearn import PlainnetClassifier, PlainnetRegressor
from plainnet.writing import to_json, write_atomically

RECORD = Path(__file__).parents[1] / "records/sklearn_tests.json"
NOT_OURS = {
    "test_gradient": "it calls the private method _loss_grad_lbfgs; plainnet verifies gradients with check_gradients()",
}


class Outcomes:
    """Notes how each case of each test function ends."""

    def __init__(self) -> None:
        self.of: dict[str, list[str]] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note a case that has run, or failed before."""
        if report.when == "call" or report.outcome == "failed":
            self.of.setdefault(report.nodeid.split("::")[-1].split("[")[0], []).append(report.outcome)


def main() -> int:
    """Run the tests, print and keep how many pass."""
    neural_network.MLPClassifier, neural_network.MLPRegressor = PlainnetClassifier, PlainnetRegressor  # type: ignore[misc]
    tests, outcomes = Path(neural_network.__file__).parent / "tests/test_mlp.py", Outcomes()
    with tempfile.TemporaryDirectory() as folder:
        options = ["-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", folder]
        pytest.main([str(tests), *options], plugins=[outcomes])
    passed = [name for name, cases in outcomes.of.items() if set(cases) == {"passed"}]
    failed = sorted(set(outcomes.of) - set(passed))
    print(f"{len(passed)} of {len(outcomes.of)} test functions pass")
    for name in failed:
        print(f"  {name}: {NOT_OURS.get(name, 'a defect of ours')}")
    if "--no-record" not in sys.argv:
        record = {"scikit-learn": sklearn.__version__, "functions": len(outcomes.of), "passed": len(passed),
                  "not passed": {name: NOT_OURS.get(name, "") for name in failed}}  # fmt: skip
        write_atomically(RECORD, to_json(record))
    return int(not set(failed) <= set(NOT_OURS))


if __name__ == "__main__":
    raise SystemExit(main())
