"""Stage 2: scenarios, the audit (static and by attack), the document and the effect of a change."""
