"""The collector's side of bulk intake: a folder of photos goes to the service over a poor line, for days, unattended.

HTTP and a journal of its own, never the database: this runs on whatever machine the disk with the photos is plugged in.

    folder      which files of a folder are photos
    manifest    what a spreadsheet says of them, checked before the first byte is sent
    journal     what was hashed and what the server answered, in a file that survives being killed
    server      the service's routes, asked until they answer
    sending     the bytes, by several threads at a limited pace
    run         hash → announce → send → verify → receipt

The journal only saves work: whatever it says, the server is asked again, and what it answers holds.
"""

from __future__ import annotations

from ocr_service.upload.plan import Plan, Task, plan_upload
from ocr_service.upload.run import Ending, Outcome, Problem, upload

__all__ = ["Ending", "Outcome", "Plan", "Problem", "Task", "plan_upload", "upload"]
