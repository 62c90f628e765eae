"""Background readers: processes that claim received photos, read them and store what they found.

    loop       claim → fetch → begin → read → store, by one process; see also sources (which) and results (what became)
    process    the body of a reading process
    seat       keeps one such process: replaces it when it dies, ends it when it hangs or grows
    embedded   seats that read whatever waits; no broker        ``python -m workers.embedded``
    crew       seats that read what messages name, with app and tasks for Celery        ``python -m workers``
    sweeper    says by messages what waits, takes back what silent readers held        ``python -m workers.sweeper``

The row of a photo is the truth, a message only a hint: messages may get lost, come twice or late.
"""
