r"""Measures: the figures that histories hold, and the names that programs give them.

Patterns match names in lower case, split into words, without the part of the data: "map50 95" stands for `val_mAP50-95(B)`. They are in
order of preference: if a table has several accuracies, the first is used.
"""

from __future__ import annotations

import re


def _named(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_KIND = (
    r"(?:sparse |categorical |binary |masked |multiclass |mean |avg |average |total |overall |macro |micro |weighted )*"
)

ACCURACIES = (  # best at 1, or at 100 %
    ("accuracy", _named(_KIND + r"acc(?:uracy|uracies)?s?(?: score)?(?: percent| pct)?")),
    (
        "accuracy",
        _named(r"(?:acc |acc at |accuracy )?top.?1(?: acc(?:uracy)?)?|acc ?(?:at )?1|prec(?:ision)? ?(?:at )?1"),
    ),
    ("balanced accuracy", _named(r"bal(?:anced)? ?acc(?:uracy)?")),
    ("accuracy", _named(r"correct")),
    ("mAP50-95", _named(r"map ?50 95|map 0 5 0 95|(?:bbox |coco )?map")),
    ("mAP50", _named(r"map ?50|map 0 5")),
    ("IoU", _named(r"m?iou(?: score)?|mean ?iou|(?:mean )?io u(?: score)?|jaccard(?: (?:score|index|coef\w*))?")),
    ("Dice", _named(r"dice(?: (?:score|coef\w*|metric))?|dsc")),
    ("F1", _named(_KIND + r"(?:total)?f1(?: (?:score|macro|micro|weighted|avg))*|f ?score|fmeasure|f beta")),
    ("AUC", _named(r"(?:roc )?au(?:c|roc)(?: (?:score|roc|pr|\d+))?|pr ?auc|aucpr|ap|average precision")),
    ("accuracy", _named(r"acc(?:uracy)? \w*|(?:\w+ ){0,3}acc(?:uracy)?(?: seg)?")),
    ("correlation", _named(r"mcc|matthews ?\w*|kappa|qwk")),
    ("R2", _named(r"r2(?: score)?|r ?squared")),
    ("recall", _named(r"recall")),
    ("precision", _named(r"precision")),
    ("score", _named(r"scores?|bleu|exact ?match|em")),
)
ERRORS = _named(
    r"(?:m?error|err)(?: ?rate)?|top.?1.?err(?:or)?|wer|cer|misclassification(?: rate)?"
)  # best at 0, worst at 1
LOSSES = (  # best when smallest; the third and the fifth name one loss of several
    ("loss", _named(r"(?:total|avg|average|mean|epoch|overall|all|full)? ?loss(?:es)?(?: (?:total|avg|average|mean|all|value|curve))?")),
    ("loss", _named(r"(?:m|multi ?|binary ?|b)?log ?loss")),
    ("loss", _named(r"\w*loss\w*")),
    ("loss", _named(r"(?:sparse |categorical |binary |mean |avg )*(?:cross ?entropy|multi ?class|x ?ent|ce|bce|nll|neg ?log ?lik\w*)")),
    ("other", _named(r"(?P<before>\w+(?: \w+)?) loss(?: \w+)?|(?:loss|l) (?P<after>\w+)")),
    ("cost", _named(r"cost(?: function)?s?")),
    ("objective", _named(r"objective(?: value)?|obj|energy")),
    ("perplexity", _named(r"perplexity|ppl")),
    ("error", _named(r"r?mse|mae|l1|l2|mean (?:squared|absolute) error|smape|mape|rmsle|huber|deviance")),
    ("error", _named(r"errors?")),
)  # fmt: skip
RATE = _named(r"(?:base |learning |current |epoch )*(?:lr|learning ?rate)s?(?: (?:pg)?\d+| \w+)?")
EPOCH = _named(r"(?:current )?epochs?(?: ?(?:number|num|no|idx|index|id|n))?|ep")
STEP = _named(
    r"(?:global |train(?:ing)? |current |optimizer |boosting )?(?:steps?|iter(?:ation)?s?|batch(?:es)?|updates?|round|it)"
    r"(?: ?(?:number|num|no|idx|id|n))?|"
)  # fmt: skip
INDEX = _named(r"|index|unnamed:? ?0?|level 0")  # the names that pandas gives row numbers, or no name
TIME = _named(
    r"(?:\w+ )*(?:time|timestamp|seconds|secs?|duration|elapsed|eta|runtime|date|datetime|hours|minutes|ms)(?: \w+)?|relative|wall"
)
NOT_A_FIGURE = _named(  # words that show that "best accuracy", "loss weight" or "gpu memory" is not a curve
    r"(?:best|initial|relative|scale|max|min|lowest|highest|delta|time|memory|mem|gpu|samples|per second|throughput|flops|size|grad|norm|bs|seed|params|ratio|"
    r"patience|examples|speed|std|var|temperature|weight|count|num)\b"
)
REWARD = _named(r"(?<![a-z])(?:rewards?|returns?|episodes?|ep (?:rew|ret|len)\w*)(?![a-z])")
GENERATOR, DISCRIMINATOR = {"g", "gen", "generator"}, {"d", "disc", "discriminator", "critic"}
FILLERS = _named(  # words that tell how a figure was measured, not which figure it is
    r"(?<![a-z])(?:epoch|step|batch|iter|it|minibatch|running|current|now|this|per|metrics?|b|avg|the|of|on|in|set|final|m|dataloader idx \d+)(?![a-z0-9])"
)
