"""The only room that touches a database or a file of records: the log on SQLite or PostgreSQL, and bundles.

Promises: what was acknowledged is durable and there once; decisions and events of a problem share one gap-free,
hash-chained order; nothing commits under a kill epoch that has passed; every reader sees corrections applied; an
outcome is in exactly one place and at most one counts per decision; a database that fails raises StoreError.
Leaves to others: what to decide, when to move a rollout, what an outcome is worth, and what to do when it fails.
Outcomes and shadow proposals are kept beside the chain, not in it.
"""

from tenure.store.bundles import Bundle, BundlePolicy, load_bundle, make_bundle, save_bundle
from tenure.store.folding import Fold, Recent
from tenure.store.log import Store
from tenure.store.records import Appended, Control, Event, LogFrame, Receipt, Trip, Verification, VersionRow
from tenure.store.sqlite import SqliteStore

__all__ = [
    "Appended",
    "Bundle",
    "BundlePolicy",
    "Control",
    "Event",
    "Fold",
    "LogFrame",
    "Receipt",
    "Recent",
    "SqliteStore",
    "Store",
    "Trip",
    "Verification",
    "VersionRow",
    "load_bundle",
    "make_bundle",
    "save_bundle",
]
