"""plainnet in scikit-learn: `PlainnetClassifier` and `PlainnetRegressor`, estimators for pipelines and searches."""

from plainnet.errors import InputError

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise InputError(
        "the estimators need scikit-learn, which is not installed: pip install 'plainnet[sklearn]'"
    ) from error

from plainnet.sklearn.classifier import PlainnetClassifier
from plainnet.sklearn.regressor import PlainnetRegressor

__all__ = ["PlainnetClassifier", "PlainnetRegressor"]
