"""Severity: a fault that the user accepts becomes a remark, and a remark that the user is strict about becomes a fault."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from plainnet.checks.code.faults import CATALOGUE
from plainnet.errors import InputError


def weighed(
    findings: list[dict[str, Any]], accept: Collection[str] = (), strict: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Return the findings with the faults of `accept` as remarks and the remarks of `strict` as faults.

    Raises: `InputError` for a name that is not in the catalogue.
    """
    for name in (*accept, *strict):
        if name not in CATALOGUE:
            raise InputError(f"the catalogue has no fault named {name}; docs/faults.md lists the names")
    result: list[dict[str, Any]] = []
    for finding in findings:
        remarks = [remark for remark in finding["remarks"] if remark["name"] not in strict]
        for remark in finding["remarks"]:
            if remark["name"] in strict:
                result.append(
                    finding
                    | {
                        "verdict": "wrong",
                        "diagnosis": remark["name"],
                        "evidence": remark["evidence"],
                        "line": remark["line"],
                        "remarks": [],
                    }
                )
        if finding["verdict"] == "wrong" and finding["diagnosis"] in accept:
            remark = {"name": finding["diagnosis"], "evidence": finding["evidence"], "line": finding["line"]}
            accepted = f"everything else is right; accepted: {finding['diagnosis']}"
            finding = finding | {
                "verdict": "right",
                "diagnosis": None,
                "array": None,
                "evidence": accepted,
                "line": None,
            }
            remarks.append(remark)
        if (
            not any(f["name"] == finding["name"] and f["verdict"] == "wrong" for f in result)
            or finding["verdict"] == "wrong"
        ):
            result.append(finding | {"remarks": remarks})
    return result
