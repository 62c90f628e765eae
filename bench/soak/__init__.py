"""Photos go in, everything is killed at random, and every photo is accounted for: ``make bench ONLY=soak``.

Two runs with photos of the sample pack, made unique, sent by the uploader and read by the ``fast`` profile:

    service    API, S3 store, PostgreSQL, RabbitMQ, sweeper, two workers
    embedded   ``api.serve`` with its reader beside it, SQLite and a folder

    accounted  files that came to an end that people can see: read, or set aside with a reason
    lost       files that the service took and that have neither a record nor a reason, or whose bytes are gone
    double     photos with more than one record or reading, and files that became two photos
"""

from __future__ import annotations

from bench.soak.run import run

__all__ = ["run"]
