"""Which column tells the cases worked as before from those worked with the agent, and what its values mean."""

from __future__ import annotations

import re

from roi.guess.evidence import arm_votes
from roi.guess.guess import FILL_IN, Findings, Guess, Offer
from roi.guess.look import Column
from roi.guess.names import folded
from roi.guess.values import FLAG_VALUES, meant

__all__ = ["offer_arm", "says_before_and_after"]

_OF_THE_AGENT = (
    "version", "agent_cost", "input_tokens", "output_tokens", "model", "provider", "used", "review_minutes",
)  # fmt: skip
_AI = re.compile(r"\b(ai|ki|ia|llm|gpt|bot|copilot\w*|copiloto|assist\w*|asist\w*|agent)\b")
_HUMAN = re.compile(
    r"\b(human\w*|manual\w*|manuell\w*|mensch\w*|humain\w*|manuel\w*|person\w*|control\w*|kontroll\w*)\b"
)
_NOT = re.compile(r"\b(no|non|not|without|ohne|sans|sin|kein\w*)\b")
_BEFORE = frozenset({"before", "vorher", "avant", "antes"})


def offer_arm(f: Findings, column: str, c: Column, name: float) -> Offer | None:
    """A column of two to six values, filled throughout, as the arm.

    Known words settle a value. Where the agent left traces (its version, its cost, reviews) beside one value only, they
    settle others, and contradict known words. What neither settles is a person's to say.
    """
    if not 1 < c.distinct <= 6 or c.kind in ("time", "mail", "duration"):
        return None
    chosen = "arm" in f.given
    if c.blank > 0.02 * c.rows and not chosen:
        return None
    concepts = c.name.concepts
    flag = "ai" in concepts or ("used" in concepts and "suggestion" not in concepts)
    known = meant("arm", c.values, flag=flag)
    theirs: dict[str, str | None] = {v: f.arms.get(v) or ours for v, ours in known.items()}
    doubts: list[str] = []
    if len(theirs) == 2 and None in theirs.values():
        guessed = {v: ours or _alike(v) for v, ours in theirs.items()}
        if set(guessed.values()) == {"baseline", "pilot"}:
            doubts += [f"'{v}' sounds like the {guessed[v]}" for v, ours in theirs.items() if ours is None]
            theirs = guessed
    votes = arm_votes(f.table, c, _traces_of_the_agent(f, c))
    both = {"baseline", "pilot"} <= set(theirs.values())
    named = bool(set(f.arms) & set(c.values))
    strong = name >= 0.8 and "team" not in concepts
    if not (both or votes or named or strong or chosen):
        return None
    for value in [v for v, ours in theirs.items() if ours is None and v in votes]:
        theirs[value] = votes[value]
        doubts.append(f"'{value}' is taken for the {votes[value]}, because of where the agent left traces")
    for value, ours in theirs.items():
        if ours is not None and votes.get(value, ours) != ours and value not in f.arms:
            doubts.append(f"the agent's traces say that '{value}' is the {votes[value]}")
    if not both and not votes and not named:
        theirs = dict.fromkeys(theirs)  # one word alone settles nothing
    words = any(ours and not (flag and folded(v) in FLAG_VALUES) for v, ours in theirs.items())
    score = 0.5 * (both or bool(votes)) + 0.5 * max(name, 0.7 if both and words else 0.0)
    values = {v: ours or FILL_IN for v, ours in theirs.items() if ours != v.lower()}
    guess = Guess(column="arm", sources=(c,), values=values, doubts=tuple(doubts))
    return Offer(score + (0.1 if votes and both else 0.0), guess)


def _alike(value: str) -> str | None:
    """What an unknown value sounds like by one of its words."""
    text = folded(value)
    if _AI.search(text):
        return "baseline" if _NOT.search(text) else "pilot"
    return "baseline" if _HUMAN.search(text) else None


def _traces_of_the_agent(f: Findings, arm: Column) -> list[Column]:
    """Columns that only the agent's cases should fill."""
    return [
        c
        for c in f.table.columns
        if c.at != arm.at
        and c.blank
        and max((f.names[c.at].get(w, 0.0) for w in _OF_THE_AGENT), default=0.0) >= 0.8
    ]


def says_before_and_after(guess: Guess) -> bool:
    """Whether the arm's values speak of a time before and after."""
    return any(_BEFORE & {folded(v)} for v in guess.values)
