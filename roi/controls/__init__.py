"""The five control layers, read from the logs: checks by layer, what they found, and the gates that follow.

What all checks share:
    catalogue: every check, what it asks and whether scaling waits for it
    check: the answer of a check, and how a rule gives one
    logs: the tables as checks ask them
    scorecard: all checks together, and the gates of the layers
    findings_list: all rows of each finding as a file

Bounded access:
    rights: grants, and the calls that used them
    access_checks: calls held against grants and need
    grant_checks: the list of grants held against need and use
    access_list: the rights that the agent should have

Approval by a person:
    approval_log: one pass over the action log
    approval_checks: what was approved, when and by whom
    approvers: who approves, how fast, and whether they ever say no

Action log and audit trail:
    trail_checks: cases and actions reconciled, fields, times, ids, the seal
    trail_gaps: numbers that are missing or there twice
    trail_times: clocks and days that are out of step

Evaluation suite:
    suite_runs: which result of a case speaks for which version
    suite_checks: each change tested, and none for the worse
    suite_cases: what the suite covers, and the changes around it
    suite_power: the exact McNemar test, and the cases that it needs

Monitoring and rollback:
    stopping_checks: drills, incidents, ways back, days on which quality and cost are known
"""

from roi.controls.catalogue import CATALOGUE, LAYERS
from roi.controls.check import Check, Rows
from roi.controls.logs import Logs
from roi.controls.scorecard import Scorecard, look

__all__ = ["CATALOGUE", "LAYERS", "Check", "Logs", "Rows", "Scorecard", "look"]
