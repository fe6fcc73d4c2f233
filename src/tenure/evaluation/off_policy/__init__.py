"""The value of a policy from another policy's log: one-step decisions, and whatever log or policy there is.

`decisions.evaluate_log` runs two passes over batches (`scan`, `valuation`); estimators are formulas in `one_step`;
`support` answers first, with a refusal where a log can say nothing; `anywhere` takes any log and any policy.
"""
