"""Stage 2: scenarios, the audit (static and by attack), the document and the effect of a change.

Where a line belongs:
    scenarios, conduct      what a project says by example, and what a behaviour did
    ranking, terms, check   `reward check`: the orders, and what each term must state
    interplay, loops, static    the audit that needs no search
    exploit, mending, shown, attack/, audit     the search, what counts as harm, and what to mend
    doubt, early            what the worlds could not tell, and worlds that are ended early
    record, history, document   what is kept, whether it still holds, and the risk officer's page
    scored, diff            old decisions under a new reward
"""
