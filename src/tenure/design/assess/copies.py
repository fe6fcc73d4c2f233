"""Does every row of a log stand for a decision of its own?"""

from __future__ import annotations

import numpy as np

from tenure.core.errors import DataError
from tenure.core.logged import Logged
from tenure.design.assess.thresholds import CONTINUOUS, MOST_COPIES


def check_copies(rows: Logged, where: str) -> None:
    """Refuse a log in which rows stand several times: with copies on both sides a policy is judged on what it learned.

    Rows are copies if situation, action, propensity and reward are equal under another unit, or under the same unit at
    the same time. Where no column is continuous, equal rows may be chance, and nothing is refused.

    Raises:
        DataError: more than 5 % are copies.
    """
    told = np.column_stack([rows.features, rows.action, rows.propensity, rows.reward])
    content = np.where(np.isnan(told), -np.inf, told)
    distinct, group = np.unique(content, axis=0, return_inverse=True)
    own = max(len(np.unique(column)) for column in (*distinct[:, : rows.features.shape[1]].T, distinct[:, -1]))
    if own < CONTINUOUS * len(distinct):
        return
    time = rows.step if rows.at is None else rows.at.astype(np.int64)
    keys = [group, np.unique(rows.unit, return_inverse=True)[1]]
    pairs = np.unique(np.column_stack(keys), axis=0)
    timed = pairs if time is None else np.unique(np.column_stack([*keys, time]), axis=0)
    again = 0 if time is None else len(rows) - len(timed)
    copies = len(pairs) - len(distinct) + again
    if copies > MOST_COPIES * len(rows):
        raise DataError(
            expected="every decision once",
            found=f"{copies:,} of {len(rows):,} rows are copies of others in all but their ids",
            where=where,
            fix="find the join or the second export that doubles them, and keep one of each",
        )
