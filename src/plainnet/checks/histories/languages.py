"""Languages: put the words of other languages for the figures of a training into English before a text is read."""

from __future__ import annotations

import re

_WORDS = {  # in Chinese and Japanese, which have no spaces between words; in Korean, Russian and others
    "epoch": "第 轮次 周期 エポック 에포크 эпоха época épocas époque epoche",
    "step": "次数 步数 ステップ",
    "iteration": "迭代",
    "train": "训练集 训练 訓練 学習 훈련 обучение entrenamiento treino treinamento entraînement",
    "val": "验证集 验证 驗證 検証 검증 валидация validación validação validierung",
    "test": "测试集 测试 測試 テスト",
    "loss": "损失函数值 损失值 损失 損失 손실 потери потерь pérdida perda perte verlust",
    "cost": "代价",
    "error": "误差 ошибка",
    "accuracy": "准确率 准确度 正确率 精度 準確率 正解率 정확도 точность precisión précision acurácia genauigkeit",
    "learning rate": "学习率 学習率",
    "": "轮 輪 整体 平均 总 上的 的",
    ":": "为",
}  # fmt: skip
_ENGLISH = {word: english for english, words in _WORDS.items() for word in words.split()}
_ANY = re.compile("|".join(sorted(map(re.escape, _ENGLISH), key=len, reverse=True)), re.IGNORECASE)
_LATIN = re.compile(r"\b(?:epoche|verlust|genauigkeit|perte|perda|treino)\b", re.IGNORECASE)  # in plain ASCII
_BEGINNING = 200_000  # characters
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # full-width signs and digits


def in_english(text: str) -> str:
    """Return a text with the words for epochs, losses and accuracies in English; a text in ASCII as it is."""
    if text.isascii() and _LATIN.search(text[:_BEGINNING]) is None:
        return text
    marked = _ANY.sub(lambda found: f"\0{_ENGLISH.get(found[0].lower(), found[0])}\0", text.translate(_WIDE))
    return re.sub(r" ?\0[\0 ]*", " ", marked)  # one space between two words
