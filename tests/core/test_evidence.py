"""Verdicts are ordered and no evidence never passes; errors say what, where and what to do."""

from __future__ import annotations

from itertools import product

import pytest

from tenure.core import errors
from tenure.core.evidence import Estimate, Finding, Verdict, worst

ESTIMATE = Estimate(2.0, 1.0, 4.0, 100, 80.0, "bootstrap", "day")


def test_no_evidence_never_passes() -> None:
    assert worst([]) is Verdict.INCONCLUSIVE


def test_the_worst_verdict_decides() -> None:
    assert Verdict.PASS < Verdict.INCONCLUSIVE < Verdict.ERROR < Verdict.FAIL
    for one, two in product(Verdict, Verdict):
        assert worst([one, two]) is (max(one, two))


def test_every_verdict_has_its_word_and_exit_code() -> None:
    found = {verdict.word: verdict.exit_code for verdict in Verdict}
    assert found == {"pass": 0, "inconclusive": 3, "error": 5, "fail": 4}


def test_an_estimate_scales_with_its_ends() -> None:
    scaled = ESTIMATE.scaled(0.5)
    assert (scaled.value, scaled.low, scaled.high, scaled.n, scaled.cluster) == (1.0, 0.5, 2.0, 100, "day")
    for factor in (0.0, -1.0):
        with pytest.raises(ValueError, match="positive"):
            ESTIMATE.scaled(factor)


def test_a_finding_as_plain_fields() -> None:
    finding = Finding("gate", Verdict.FAIL, "too dear", ESTIMATE)
    assert finding.as_dict() == {
        "gate": "gate",
        "verdict": "fail",
        "reason": "too dear",
        "estimate": ESTIMATE.as_dict(),
    }
    assert Finding("gate", Verdict.PASS, "fine").as_dict()["estimate"] is None
    assert ESTIMATE.as_dict()["alpha"] == 0.05


def test_an_error_says_expected_found_where_and_what_to_do() -> None:
    error = errors.RequestError(expected="a", found="b", where="c", fix="d")
    assert str(error) == "expected a; found b; in c; to do: d"
    assert error.as_dict() == {"error": "RequestError", "expected": "a", "found": "b", "where": "c", "fix": "d"}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.RequestError, 422, 2),
        (errors.UnknownError, 404, 2),
        (errors.ConflictError, 409, 2),
        (errors.MoveError, 409, 2),
        (errors.FencedError, 409, 5),
        (errors.StoreError, 503, 5),
        (errors.BundleError, 503, 2),
        (errors.IncumbentError, 503, 2),
        (errors.EvidenceError, 500, 5),
        (errors.ProblemError, 500, 2),
    ],
)
def test_every_error_has_its_status_and_exit_code(error: type[errors.TenureError], status: int, code: int) -> None:
    assert (error.http_status, error.exit_code) == (status, code)
