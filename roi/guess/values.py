"""What values mean (arms, outcomes, severities, causes, settings) in four languages, and what form a text has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from roi.guess.names import folded

__all__ = ["FLAG_VALUES", "MISSING_MARKS", "kind_of", "meanings", "meant"]

MISSING_MARKS = frozenset(
    {
        "-",
        "--",
        "—",
        "–",
        "/",
        "n/a",
        "N/A",
        "#N/A",
        "NA",
        "na",
        "NULL",
        "null",
        "NaN",
        "nan",
        "k.A.",
        "k. A.",
        "n.d.",
        "s/o",
        ".",
    }
)

_MEANINGS: Mapping[str, Mapping[str, str]] = {
    "arm": {
        "baseline": "baseline|control|controls|control group|without ai|no ai|without assistant|manual|"
        "manually|before|as is|as usual|usual|human|human only|business as usual|status quo|old|"
        "legacy|old process|previous|standard|unassisted|non ai|ohne ki|ohne|bisher|wie bisher|"
        "kontrolle|kontrollgruppe|vorher|manuell|herkommlich|alt|klassisch|ohne assistent|mensch|"
        "sans ia|sans|temoin|groupe temoin|manuel|manuelle|avant|ancien|ancien processus|humain|"
        "humain seul|controle|sin ia|sin|antes|manual|proceso anterior|anterior|solo humano|"
        "humano|tradicional|grupo de control",
        "pilot": "pilot|treatment|treated|treatment group|with ai|ai|with assistant|ai assisted|assisted|"
        "after|copilot|with copilot|human plus ai|human plus copilot|agent|with agent|bot|new|"
        "new process|llm|augmented|mit ki|ki|nachher|test|testgruppe|ki gestutzt|ki unterstutzt|"
        "mit assistent|assistent|pilotgruppe|neu|mit agent|avec ia|ia|pilote|apres|"
        "assiste par ia|assistee par ia|nouveau|nouveau processus|humain plus ia|avec assistant|"
        "con ia|piloto|despues|asistido por ia|asistida por ia|asistido|proceso nuevo|nuevo|"
        "humano plus ia|tratamiento|con asistente",
    },
    "outcome": {
        "correct": "correct|ok|okay|right|solved|pass|passed|good|success|successful|accepted|no error|"
        "error free|valid|true|clean|richtig|korrekt|in ordnung|i o|io|fehlerfrei|gut|gelost|"
        "bestanden|erfolgreich|kein fehler|ohne fehler|correcte|conforme|juste|bon|bonne|"
        "sans erreur|reussi|valide|correcto|correcta|bien|sin error|sin errores|valido|aprobado|"
        "acierto",
        "error": "error|errors|wrong|incorrect|defective|fail|failed|failure|bad|faulty|miscoded|mistake|"
        "rejected|invalid|false|defect|fehler|falsch|fehlerhaft|n i o|nio|nicht in ordnung|"
        "mangelhaft|nicht korrekt|nicht bestanden|erreur|non conforme|faux|fausse|errone|erronee|"
        "avec erreur|incorrecte|echec|mauvais|no conforme|mal|erroneo|erronea|con error|"
        "con errores|incorrecto|incorrecta|fallo|fallido",
        "escalated": "escalated|escalation|handed over|handover|hand over|to human|to person|to a person|"
        "human takeover|transferred|taken over|handoff|referred|ubergeben|eskaliert|ubergabe|"
        "an mensch ubergeben|weitergeleitet|eskalation|escalade|escaladee|transfere|transferee|"
        "remis a un humain|transmis|escalado|escalada|transferido|transferida|derivado|"
        "derivado a persona|derivada",
        "abandoned": "abandoned|aborted|no result|cancelled|canceled|dropped|gave up|abgebrochen|aufgegeben|"
        "abbruch|kein ergebnis|abandonne|abandonnee|annule|sans resultat|abandonado|abandonada|"
        "cancelado|sin resultado",
    },
    "severity": {
        "minor": "minor|low|trivial|small|cosmetic|light|gering|niedrig|leicht|klein|mineure|mineur|"
        "faible|legere|leger|basse|leve|baja|menor|bajo",
        "moderate": "moderate|medium|middle|normal|mittel|mittelschwer|massig|moderee|modere|moyenne|moyen|"
        "moderada|moderado|media|medio",
        "major": "major|high|serious|severe|hoch|schwer|erheblich|majeure|majeur|elevee|eleve|haute|grave|"
        "alta|alto|mayor",
        "critical": "critical|catastrophic|blocker|fatal|kritisch|katastrophal|critique|critica|critico|"
        "catastrophique",
    },
    "cause": {
        "model": "model|ai|llm|the model|agent|modell|ki|modele|ia|modelo",
        "workflow": "workflow|process|procedure|ablauf|prozess|arbeitsablauf|processus|proceso|"
        "flujo de trabajo|flujo",
        "data": "data|input|inputs|input data|daten|eingabe|eingaben|donnees|donnee|datos|dato",
        "integration": "integration|interface|connection|system|api|anbindung|schnittstelle|integracion|"
        "interfaz",
        "oversight": "oversight|supervision|approval|aufsicht|kontrolle|freigabe|controle|supervision|"
        "supervisio",
    },
    "setting": {
        "demo": "demo|test|workshop|trial|sandbox|staging|testing|lab|testbetrieb|vorfuhrung|labor|essai|"
        "prueba|pruebas|demostracion",
        "production": "production|prod|live|real|produktion|produktiv|echtbetrieb|echt|reel|produccion",
    },
    "used": {
        "yes": "yes|y|true|1|used|as is|accepted|ja|verwendet|unverandert|oui|utilise|si|usado|aceptado",
        "edited": "edited|modified|changed|partly|partially|reworded|bearbeitet|geandert|angepasst|"
        "teilweise|modifie|modifiee|en partie|editado|modificado|parcial",
        "no": "no|n|false|0|not used|rejected|discarded|nein|nicht verwendet|verworfen|non|rejete|"
        "no usado|rechazado",
    },
    "label_source": {
        "human": "human|person|people|reviewer|manual|mensch|humain|humano|auditor",
        "judge": "judge|llm|ai|model|auto|automatic|automated|ki|ia|juge|juez",
    },
}
_FLAGS: Mapping[str, str] = {
    "yes": "yes|y|true|1|t|ja|wahr|oui|o|vrai|si|s|verdadero|x",
    "no": "no|n|false|0|f|nein|falsch|non|faux|falso",
}


def _turned(meanings: Mapping[str, str]) -> Mapping[str, str]:
    return {word: ours for ours, words in reversed(list(meanings.items())) for word in words.split("|")}


_BY_WORD = {column: _turned(meanings) for column, meanings in _MEANINGS.items()}
_BY_WORD["judge_outcome"], _BY_WORD["judge_severity"] = _BY_WORD["outcome"], _BY_WORD["severity"]
FLAG_VALUES = _turned(_FLAGS)

_NUMBER = re.compile(
    r"[+-]?(\d+([.,]\d+)?|\d{1,3}([., '’\u00a0\u202f]\d{3})+([.,]\d+)?|[.,]\d+)([eE][+-]?\d+)?"
)
_CLOCK = re.compile(r"\d+:[0-5]\d:[0-5]\d(\.\d+)?|(\d+d)?,? ?\d+:[0-5]\d:[0-5]\d")
_ISO_DURATION = re.compile(r"P(\d+D)?(T(\d+H)?(\d+M)?([\d.]+S)?)?")
_WORDED = re.compile(
    r"(\d+(\.\d+)?\s*(d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?|ms)(?![A-Za-z])[,\s]*)+", re.I
)
_TIME = re.compile(
    r"\d{4}-\d\d?-\d\d?([ T]\d.*)?|\d{4}/\d\d?/\d\d?( \d.*)?|\d{1,2}[./-]\d{1,2}[./-]\d{4}([ T,]+\d.*)?"
    r"|(\w{3,9},? )?\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4}(,? \d.*)?|[A-Za-z]{3,9} \d{1,2}, \d{4}( \d.*)?"
)


def meanings(column: str) -> tuple[str, ...]:
    """The values that a canonical column may have, as far as their words are known."""
    return tuple(dict.fromkeys(_BY_WORD[column].values())) if column in _BY_WORD else ()


def meant(column: str, values: Iterable[str], *, flag: bool = False) -> dict[str, str | None]:
    """What a column's values mean in our words.

    Args:
        column: The canonical column.
        values: Theirs.
        flag: Whether yes and no are the pilot and the baseline (the column says whether AI was used).

    Returns:
        Theirs to ours; None where the word is not known.
    """
    found: dict[str, str | None] = {}
    for value in values:
        word = folded(value)
        known = _BY_WORD.get(column, {}).get(word) or _BY_WORD.get(column, {}).get(word.replace(" ", ""))
        if flag and word in FLAG_VALUES:
            known = "pilot" if FLAG_VALUES[word] == "yes" else "baseline"
        found[value] = known
    return found


def kind_of(value: str) -> str:
    """What a text is by its form: number, duration, time, mail or text."""
    if _NUMBER.fullmatch(value):
        return "number"
    if (
        _CLOCK.fullmatch(value)
        or (len(value) > 2 and _ISO_DURATION.fullmatch(value))
        or _WORDED.fullmatch(value)
    ):
        return "duration"
    if _TIME.fullmatch(value):
        return "time"
    return "mail" if "@" in value and "." in value else "text"
