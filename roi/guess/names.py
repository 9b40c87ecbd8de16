"""What the name of a column speaks of: its words in English, German, French and Spanish, as concepts, and its unit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal

__all__ = ["Name", "folded", "read_name", "scores"]

MinuteUnit = Literal["milliseconds", "seconds", "minutes", "hours", "days", "duration"]

# A stem stands for the beginning of a word, =stem for the whole word, ~stem for its end, *stem for any part of it
# (German compounds).
_STEMS: Mapping[str, str] = {
    "time": "time *zeit dauer *dauer durat temps duree tiempo duracion =hours =minutes =seconds "
    "=stunden =minuten =heures =horas *aufwand effort esfuerzo =aht =charge",
    "handle": "handl =work working worked worktime touch effort =aht activ aktiv actif track processing "
    "talk =wrap spent spend bearb *bearbeit arbeit aufwand zeitaufwand trait passe travail "
    "gestion gestio manej dedic tramit invert emplead esfuerzo trabaj atencion sachbearb "
    "=charge instruct coding drafting reading timer hands",
    "review": "review check =qa approv verif proof pruf pruef *pruf *pruef kontroll *kontroll freigab "
    "durchsicht relectur control valid revue revis comprob audit inspect signoff",
    "rework": "rework reopen correct korrekt mend mending fix repair nacharb nachbearb nachbess *beheb "
    "reprise retravail rectif retrabaj reproces repet subsan redo correc amend",
    "wait": "response respon repons respuest reaktion resolution resoluci *losung wait wart *warte "
    "durchlauf delai attent espera cycle lead elapsed sla turnaround idle liege calendar "
    "business first hold queue_time lag latenc",
    "start": "start begin creat erstell cree crea opened open eroff ouvert abiert apert received receiv "
    "eingang recu recib recept entrada inici debut angelegt anlage submitted desde reported "
    "arriv",
    "logged": "erfass gebucht booked logged recorded registrad saisi enregistr",
    "end": "=end ended ende close clos clotur cierr cerrad resolved gelost resolu resuelt finish "
    "final =fin endzeit endtime termin complet abgeschl abschluss erledig geschloss solved "
    "stopp =stop hasta =bis done",
    "changed": "updat chang geander ander modif last letzt dernier ultim actualiz",
    "date": "date datum *datum fecha timestamp",
    "id": "=id =ids key number nummer *nummer =no =nr *nr num ref code kennung *kennung identif "
    "*zeichen expedient folio =n uuid guid sysid codigo matricul",
    "case": "ticket case issue claim request incident document order workitem vorgang *vorgang fall "
    "schaden beleg auftrag anfrage akte aktenz *akte geschaft dossier demande =cas reclam caso "
    "solicitud inciden expedient payment matter voucher applicat invoice rechnung factur piece "
    "=file work_item sinistre antrag pedido commande",
    "organisation": "compan branch hospital buchungskreis mandant agence sucursal plant =site werk filiale "
    "tenant entity region_code societe sociedad",
    "customer": "custom client kund cliente requester requestor reporter contact submitter melder antragst "
    "demandeur solicitante account caller debit credit vendor supplier lieferant",
    "worker": "assign owner clerk officer operator employe bearbeiter *bearbeiter mitarbeit zustand "
    "erfasser personal gestionnaire collaborat conseill operateur asignad gestor tramitador "
    "emplead operador responsable tecnico staff lawyer adjuster analyst technician worker "
    "clinician physician nurse caseworker "
    "matricul user benutzer assigne charge",
    "team": "group gruppe groupe grupo team department abteilung *abteilung service equipe equipo "
    "departament squad",
    "agent": "agent",
    "by": "=by =von =par =por durch",
    "first_name": "firstname =first vorname prenom givenname nombre",
    "last_name": "lastname surname =last nachname familienname =nom apellid",
    "arm": "variant group gruppe *gruppe groupe grupo =arm =arms cohort kohort experiment versuch "
    "~arm condition treatment route bucket bras brazo =test =prueba",
    "way": "mode =modus modo modalit modalid method metodo process proced verfahren procede proceso "
    "arbeitsweise ~art bearbeitungsart handled traitement prueba workflow weg",
    "ai": "=ai =ki =ia =llm =genai =gen gpt bot robot copilot *assist assist copilo kiunter artificial",
    "suggestion": "reply suggest draft output answer proposal vorschlag antwort entwurf proposit brouillon "
    "texte texto propuest respuest borrador sugerenc reponse",
    "used": "used accept adopt verwend ubernomm genutzt utilis utiliz usad reprise aceptad enabled "
    "activ involved beteilig einsatz impliq implicad retained",
    "outcome": "outcome result ergebnis *ergebnis resultat finding disposit verdict assessm quality "
    "qualit befund bewert ausgang urteil =issue constat bilan desenlace hallazgo dictamen "
    "veredict correctness",
    "judge": "judge juge juez autograd grader evaluator",
    "status": "status statut estado state zustandscode stage_name",
    "priority": "priorit prio urgenc dringlich",
    "severity": "sever gravit graved schwere *schwere gravedad impact criticit seriousn klasse importanc",
    "error": "error fehler *fehler erreur fault loss mistake fallo",
    "class": "class *klasse clase",
    "cause": "cause causa ursache *ursache reason motiv grund",
    "origin": "origin origen quelle *quelle fuente herkunft",
    "defect": "defect missing miss gap unreadab incomplete fehlend *mangel *lucke manquant defaut "
    "illisib faltant ilegib lacun unlesbar eingabefehler carence",
    "input": "input field document form data eingab angab unterlag champ saisie piece donnee campo dato "
    "entrada feld daten",
    "segment": "channel via origin source queue kanal *kanal canal type typ tipo categor kategor "
    "subcategor ~art nature product sparte *weg contacttype line corridor kind segment "
    "naturaleza ramo",
    "version": "version release build stand revis *version edicion",
    "setting": "setting environ stage phase fase umgebung stufe deploy entorno ambiente contexte contexto "
    "etape etapa betriebsart demo",
    "pair": "pair paar *paar =par pareja twin binom contract vertrag contrat",
    "amount": "amount betrag *betrag montant importe monto cuantia value wert *wert sum somme hohe *hohe "
    "total valor price preis",
    "cost": "cost kost *kost cout cost coste spend ausgab gasto depens usd eur",
    "token": "token *token jeton",
    "api": "api inference infer model modell modele modelo token",
    "in": "=in input prompt entree entrada eingab",
    "out": "=out output completion sortie salida ausgab antwort response",
    "cached": "cache",
    "written": "write written creation",
    "provider": "provider anbieter *anbieter fournisseur proveedor system vendor",
    "model": "model modell modele modelo =llm",
    "currency": "currency wahrung devise moneda",
    "confidence": "confid konfid confian sicherheit",
    "estimate": "estimat predict schatz prevu prevision estimad planned plan soll",
    "label": "label labelled reviewer annotat",
    "probability": "probab wahrschein",
    "source": "source quelle herkunft",
    "person_only": "mail phone telefon adress address iban birth geburt",
}

_UNITS: Mapping[MinuteUnit, str] = {
    "milliseconds": "ms msec millis milliseconds millisekunden",
    "seconds": "s sec secs seconds second sek sekunden sekunde secondes seg segundos",
    "minutes": "min mins minutes minute minuten mn minutos m",
    "hours": "h hr hrs hour hours std stunden stunde heures heure horas hora decimal",
    "days": "days tage jours dias",
    "duration": "hhmmss hmmss hhmm",
}
_UNIT_OF: Mapping[str, MinuteUnit] = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_FILLERS = frozenset(
    "en the of der die das den dem des de del la el le les du dans a un una une to et and und y c pro per l d".split()  # noqa: SIM905
)

# What each canonical column's name speaks of: (score, all of these, none of those).
_Rule = tuple[float, str, str]
_RULES: Mapping[str, tuple[_Rule, ...]] = {
    "case_id": (
        (1.0, "case id", "customer worker pair error cost time label organisation"),
        (
            0.8,
            "case",
            "customer worker pair time cost outcome amount defect arm input status segment organisation",
        ),
        (0.6, "id", "customer worker pair time cost organisation"),
    ),
    "arm": (
        (1.0, "arm", "time customer review id"),
        (0.9, "ai used", "suggestion cost token time"),
        (0.8, "ai", "cost token time suggestion version model outcome provider judge id"),
        (0.6, "way", "time review rework cost id worker by"),
    ),
    "handling_minutes": (
        (1.0, "time handle", "review rework wait start end cost estimate changed segment"),
        (0.9, "time logged", "review rework wait start end cost estimate changed segment"),
        (0.9, "handle", "review rework wait start end cost estimate changed by worker arm used ai segment"),
        (0.5, "time", "review rework wait start end cost estimate changed"),
    ),
    "review_minutes": (
        (1.0, "time review", "rework wait start end cost estimate"),
        (0.8, "review", "rework wait start end cost estimate outcome by worker"),
    ),
    "rework_minutes": (
        (1.0, "time rework", "wait start end cost estimate"),
        (0.8, "rework", "wait start end cost by outcome"),
    ),
    "predicted_minutes": ((0.9, "estimate time", "cost"), (0.7, "estimate", "cost")),
    "outcome": (
        (1.0, "outcome", "judge time cost id"),
        (0.8, "review outcome", "judge time cost"),
        (0.5, "error", "severity cause class time judge"),
        (0.4, "status", "time"),
        (0.5, "review", "time by worker"),
    ),
    "judge_outcome": ((1.0, "judge outcome", "severity"),),
    "severity": (
        (1.0, "severity", "priority judge"),
        (1.0, "error class", "judge"),
        (0.3, "priority", ""),
    ),
    "judge_severity": ((1.0, "judge severity", ""),),
    "cause": (
        (1.0, "cause error", ""),
        (1.0, "origin error", ""),
        (1.0, "cause", "time segment"),
        (0.7, "cause", "time"),
    ),
    "used": ((1.0, "suggestion used", ""), (0.9, "ai used", ""), (0.7, "used", "time ai")),
    "input_defects": ((1.0, "defect input", "time"), (0.8, "defect", "time")),
    "segment": ((1.0, "segment", "time error cause version customer cost token"),),
    "worker": (
        (1.0, "worker", "customer time cost outcome team"),
        (1.0, "worker case", "customer cost outcome team"),
        (1.0, "handle by", "customer"),
        (1.0, "end by", "customer"),
        (0.9, "agent", "version cost time ai customer outcome token model wait team"),
    ),
    "pair_id": ((1.0, "pair", "time"), (0.4, "case", "time id cost outcome")),
    "setting": ((1.0, "setting", "time cost"),),
    "version": ((1.0, "version", "time review"), (0.9, "version", "time")),
    "started_at": (
        (1.0, "start", "changed end worker by wait"),
        (0.9, "logged", "changed end by wait handle"),
    ),
    "ended_at": (
        (1.0, "end", "changed start worker by wait"),
        (1.0, "date wait", "changed start worker by time"),
    ),
    "amount": ((1.0, "amount", "cost token time input_token api"), (0.6, "cost", "ai api token agent time")),
    "confidence": ((1.0, "confidence", ""),),
    "agent_cost": (
        (1.0, "cost ai", "time"),
        (1.0, "cost api", "time"),
        (1.0, "cost agent", "time"),
        (0.6, "cost", "time"),
    ),
    "cost_currency": ((1.0, "currency", ""),),
    "provider": ((1.0, "provider", "time id"),),
    "model": ((1.0, "model", "cost token provider version time"),),
    "input_tokens": ((1.0, "token in", "cached out"),),
    "output_tokens": ((1.0, "token out", "cached in"),),
    "cache_read_tokens": ((1.0, "token cached", "written"),),
    "cache_write_tokens": ((1.0, "token cached written", ""),),
    "label_source": ((0.9, "label source", ""),),
    "label_probability": ((0.9, "label probability", ""),),
}


@dataclass(frozen=True, slots=True)
class Name:
    """What a column's name says.

    Attributes:
        text: The name.
        words: Its words, folded, without fillers.
        concepts: What they speak of.
        unit: Of time, where the name ends in one or has it in brackets.
        currency: Three capitals or a sign that it names.
    """

    text: str
    words: tuple[str, ...]
    concepts: frozenset[str]
    unit: MinuteUnit | None
    currency: str | None


def folded(text: str) -> str:
    """Lower case without accents; what is neither letter nor digit becomes one space."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("°", " ").replace("º", " "))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    return " ".join(re.findall(r"[a-z0-9]+", plain.replace("+", " plus ")))


@cache
def read_name(text: str) -> Name:
    """Take a column's name apart.

    Args:
        text: The name as the export writes it.
    """
    camel = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text.removesuffix("__c"))  # a custom field of Salesforce
    words = [w for w in folded(camel.replace("#", " nr ")).split() if w]
    unit = _unit(text, words)
    if unit is not None and words and words[-1] in _UNIT_OF and len(words) > 1:
        words = words[:-1]
    if unit == "duration":
        words = [w for w in words if w not in ("hh", "mm", "ss", "h")]
    if unit is not None and len(words) > 1 and words[-1] == "in":
        words = words[:-1]
    kept = tuple(w for w in words if w not in _FILLERS) or tuple(words)
    joined = (*kept, *(a + b for a, b in pairwise(kept)))
    concepts = frozenset(c for c, stems in _STEMS.items() for w in joined if _speaks(w, stems))
    if unit is not None:
        concepts |= {"time"}
    found = re.search(r"\b(USD|EUR|GBP|CHF)\b", text.upper().replace("_", " "))
    sign = {"$": "USD", "€": "EUR", "£": "GBP"}
    currency = found[1] if found else next((c for s, c in sign.items() if s in text), None)
    return Name(text, kept, concepts, unit, currency)


def _unit(text: str, words: list[str]) -> MinuteUnit | None:
    lower = text.lower()
    if re.search(r"\bh{1,2}:mm(:ss)?\b", lower):
        return "duration"
    for inner in re.findall(r"[(\[]([^)\]]*)[)\]]", lower):
        for word in folded(inner).split():
            if word in _UNIT_OF:
                return _UNIT_OF[word]
    if len(words) > 1 and words[-1] in _UNIT_OF:
        return _UNIT_OF[words[-1]]
    return _UNIT_OF[words[0]] if len(words) == 1 and len(words[0]) > 3 and words[0] in _UNIT_OF else None


def _speaks(word: str, stems: str) -> bool:
    for stem in stems.split():
        if stem[0] == "=":
            if word == stem[1:]:
                return True
        elif stem[0] in "*~":
            if (stem[1:] in word) if stem[0] == "*" else word.endswith(stem[1:]):
                return True
        elif word.startswith(stem):
            return True
    return False


def scores(name: Name) -> dict[str, float]:
    """How well the name alone speaks for each canonical column, from 0 to 1."""
    if "person_only" in name.concepts and "worker" not in name.concepts:
        return {}
    found = {}
    for column, rules in _RULES.items():
        if name.text == column or "_".join(name.words) == column:
            found[column] = 1.05
            continue
        for score, every, none in rules:
            if set(every.split()) <= name.concepts and not set(none.split()) & name.concepts:
                found[column] = score
                break
    return found
