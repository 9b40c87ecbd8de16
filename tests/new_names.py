"""Names that other systems give to columns and values: what `roi new` is tried on.

They are those of ticket systems (Jira, Zendesk, ServiceNow, Salesforce, Freshdesk, SAP), time trackers (Toggl,
Clockify, Harvest) and of the lists that offices keep in English, German, French and Spanish. Every third name of a
list is held out: the dictionaries of `roi.guess` were not extended for it.
"""

from __future__ import annotations

LANGUAGES = ("en", "de", "fr", "es")


def held_out(names: list[str], name: str) -> bool:
    """Whether a name of a list was kept back."""
    return names.index(name) % 3 == 2


def _split(text: str) -> list[str]:
    return [name.strip() for name in text.split("|")]


COLUMNS: dict[str, dict[str, list[str]]] = {
    "case_id": {
        "en": _split(
            "Issue key | Ticket ID | CaseNumber | number | Ticket Id | Claim No. | Request # | Incident Number | "
            "Document No | Case reference | Work Item ID | Ticket | File no. | Order number | case_ref"
        ),
        "de": _split(
            "Ticketnummer | Vorgangsnr. | Aktenzeichen | Schadennummer | Belegnummer | Fallnummer | Auftragsnr. | "
            "Vorgangs-ID | Geschäftszeichen | Anfrage-Nr. | Fall-ID | Kennung"
        ),
        "fr": _split(
            "N° de dossier | Numéro de ticket | Référence dossier | N° demande | Identifiant du cas | Réf. dossier | "
            "Numéro d'incident | N° de réclamation | Code dossier"
        ),
        "es": _split(
            "N.º de caso | Número de ticket | Expediente | ID de solicitud | Nº de incidencia | Referencia del caso | "
            "Folio | Código de caso | Núm. de reclamación"
        ),
    },
    "arm": {
        "en": _split(
            "Variant | Group | Test group | Handled with | Process | Cohort | Experiment group | Route | Condition | "
            "Treatment | Working mode | bucket"
        ),
        "de": _split(
            "Variante | Gruppe | Testgruppe | Arbeitsweise | Verfahren | Versuchsarm | Bearbeitungsart | Modus | Kohorte"
        ),
        "fr": _split(
            "Variante | Groupe | Groupe de test | Mode de traitement | Procédé | Bras | Modalité | Méthode | Cohorte"
        ),
        "es": _split(
            "Variante | Grupo | Grupo de prueba | Modo de trabajo | Proceso | Brazo | Modalidad | Método | Cohorte"
        ),
    },
    "arm_flag": {
        "en": _split(
            "AI used | u_ai_assisted | Copilot_Enabled__c | With AI | Assistant used | Bot involved"
        ),
        "de": _split(
            "KI genutzt | Mit KI | KI-Einsatz | Assistent verwendet | KI-unterstützt | Bot beteiligt"
        ),
        "fr": _split(
            "IA utilisée | Avec IA | Assistant utilisé | Assisté par IA | Copilote activé | Robot impliqué"
        ),
        "es": _split(
            "IA utilizada | Con IA | Asistente usado | Asistido por IA | Copiloto activado | Bot implicado"
        ),
    },
    "handling_minutes": {
        "en": _split(
            "Time Spent | Handle time | handling_time | Agent work time | time_worked | Touch time | Effort | AHT | "
            "Active time | Time tracked | Working time | Work duration | Handling | Processing time | Talk and wrap time"
        ),
        "de": _split(
            "Bearbeitungszeit | Bearbeitungsdauer | Aufwand | Bearbeitung | Arbeitszeit | Zeitaufwand | "
            "Dauer Bearbeitung | Erfasste Zeit | Aktive Zeit | Sachbearbeitungszeit | Bearb.-Dauer | Gebuchte Zeit"
        ),
        "fr": _split(
            "Temps de traitement | Durée de traitement | Temps passé | Temps de travail | Durée traitement | "
            "Temps actif | Temps de gestion | Charge | Durée d'instruction"
        ),
        "es": _split(
            "Tiempo de gestión | Tiempo de trabajo | Tiempo dedicado | Duración de la gestión | Tiempo de tramitación | "
            "Tiempo invertido | Tiempo empleado | Tiempo de manejo | Esfuerzo"
        ),
    },
    "review_minutes": {
        "en": _split(
            "Review time | Check time | QA time | Approval time | checking_time | Verification time | Time checking | "
            "Proofreading time | Time to verify"
        ),
        "de": _split(
            "Prüfzeit | Prüfdauer | Kontrollzeit | Dauer Prüfung | Freigabezeit | Durchsichtszeit | Prüfung | "
            "Kontrolle | Prüfaufwand"
        ),
        "fr": _split(
            "Temps de relecture | Temps de contrôle | Temps de vérification | Durée de contrôle | Durée de validation | "
            "Temps de revue"
        ),
        "es": _split(
            "Tiempo de revisión | Tiempo de control | Tiempo de verificación | Duración de la revisión | "
            "Tiempo de comprobación | Tiempo de validación"
        ),
    },
    "rework_minutes": {
        "en": _split(
            "Rework time | Reopen time | Correction time | rework_time | Time mending | Fix-up time | Time reworking | "
            "Repair time | Time spent correcting"
        ),
        "de": _split(
            "Nacharbeitszeit | Nacharbeit | Korrekturzeit | Nachbearbeitung | Dauer Korrektur | Nachbesserung | "
            "Nachbearbeitungszeit | Korrekturaufwand | Zeit für Fehlerbehebung"
        ),
        "fr": _split(
            "Temps de reprise | Temps de correction | Durée de correction | Temps de retravail | Durée de reprise | "
            "Temps de rectification"
        ),
        "es": _split(
            "Tiempo de corrección | Tiempo de retrabajo | Tiempo de reproceso | Duración de la corrección | "
            "Tiempo de repetición | Tiempo de subsanación"
        ),
    },
    "outcome": {
        "en": _split(
            "Outcome | Result | QA result | Audit result | Finding | Disposition | Quality check | Verdict | Assessment"
        ),
        "de": _split(
            "Ergebnis | Resultat | Prüfergebnis | QS-Ergebnis | Bewertung | Befund | Ausgang | Urteil | Qualitätsurteil"
        ),
        "fr": _split("Résultat | Résultat du contrôle | Issue | Constat | Bilan | Verdict"),
        "es": _split("Resultado | Resultado del control | Desenlace | Hallazgo | Dictamen | Veredicto"),
    },
    "severity": {
        "en": _split("Severity | Error severity | Gravity | Error class | Impact of error | Seriousness"),
        "de": _split(
            "Schweregrad | Fehlerschwere | Schwere | Fehlerklasse | Schwere des Fehlers | Tragweite"
        ),
        "fr": _split(
            "Gravité | Sévérité | Gravité de l'erreur | Classe d'erreur | Niveau de gravité | Importance de l'erreur"
        ),
        "es": _split(
            "Gravedad | Severidad | Gravedad del error | Clase de error | Nivel de gravedad | Importancia del error"
        ),
    },
    "cause": {
        "en": _split("Cause | Root cause | Error cause | Reason for error | Cause of loss | Origin of error"),
        "de": _split(
            "Ursache | Fehlerursache | Grundursache | Ursache des Fehlers | Verursacher | Fehlerquelle"
        ),
        "fr": _split(
            "Cause | Cause racine | Cause de l'erreur | Origine de l'erreur | Cause première | Source d'erreur"
        ),
        "es": _split(
            "Causa | Causa raíz | Causa del error | Origen del error | Motivo del error | Fuente del error"
        ),
    },
    "used": {
        "en": _split(
            "Reply used | Suggestion used | Draft used | Output used | AI answer accepted | Adopted"
        ),
        "de": _split(
            "Vorschlag verwendet | Antwort übernommen | Entwurf verwendet | Vorschlag übernommen | Genutzt | Übernommen"
        ),
        "fr": _split(
            "Proposition utilisée | Réponse utilisée | Brouillon utilisé | Suggestion reprise | Texte utilisé | Retenu"
        ),
        "es": _split(
            "Propuesta utilizada | Respuesta usada | Borrador usado | Sugerencia aceptada | Texto usado | Aprovechado"
        ),
    },
    "input_defects": {
        "en": _split(
            "Input defects | Missing fields | Documents missing | Form gaps | Unreadable fields | Data gaps"
        ),
        "de": _split(
            "Eingabefehler | Fehlende Angaben | Fehlende Unterlagen | Eingabemängel | Datenlücken | Unlesbare Felder"
        ),
        "fr": _split(
            "Champs manquants | Défauts de saisie | Pièces manquantes | Données manquantes | Champs illisibles | Lacunes"
        ),
        "es": _split(
            "Campos faltantes | Defectos de entrada | Documentos faltantes | Datos faltantes | Campos ilegibles | Carencias"
        ),
    },
    "segment": {
        "en": _split(
            "Channel | Ticket channel | Via | Case Origin | Issue Type | Category | contact_type | Source | Queue | Permit type | subcategory | Product line"
        ),
        "de": _split(
            "Kanal | Eingangskanal | Kategorie | Belegart | Vorgangsart | Typ | Sparte | Anfrageart | Eingangsweg"
        ),
        "fr": _split("Canal | Canal d'entrée | Catégorie | Type de demande | Nature | Type de dossier"),
        "es": _split(
            "Canal | Canal de entrada | Categoría | Tipo de solicitud | Tipo de caso | Vía de entrada"
        ),
    },
    "worker": {
        "en": _split(
            "Assignee | assigned_to | Case Owner | Agent | OwnerId | Handled by | User | Clerk | Officer | Resolved by | Employee | Operator"
        ),
        "de": _split(
            "Bearbeiter | Sachbearbeiter | Mitarbeiter | Zuständig | Bearbeiter/in | Erfasser | Mitarbeitende/r | Bearbeitet von | Personalnr."
        ),
        "fr": _split(
            "Gestionnaire | Agent traitant | Assigné à | Traité par | Collaborateur | Conseiller | Opérateur | Chargé de dossier | Matricule"
        ),
        "es": _split(
            "Agente | Asignado a | Gestor | Tramitador | Empleado | Atendido por | Operador | Responsable | Técnico"
        ),
    },
    "first_last": {
        "en": ["First Name", "Last Name"],
        "de": ["Vorname", "Nachname"],
        "fr": ["Prénom", "Nom"],
        "es": ["Nombre", "Apellidos"],
    },
    "key_parts": {
        "en": ["Company code", "Document number"],
        "de": ["Buchungskreis", "Belegnummer"],
        "fr": ["Agence", "N° de pièce"],
        "es": ["Sucursal", "Número de documento"],
    },
    "pair_id": {
        "en": _split("Pair | Pair ID | Document | Contract | pair_no | Source document"),
        "de": _split("Paar | Paar-Nr. | Paarnummer | Vertrag | Paarung | Dokument"),
        "fr": _split("Paire | N° de paire | Identifiant de paire | Contrat | Binôme | Document"),
        "es": _split("Par | Nº de par | Identificador de par | Contrato | Pareja | Documento"),
    },
    "setting": {
        "en": _split("Setting | Environment | Stage | Phase | Demo or live | Deployment"),
        "de": _split("Umgebung | Phase | Stufe | Betriebsart | Demo/Echt | Einsatz"),
        "fr": _split("Environnement | Phase | Contexte | Étape | Cadre | Démo ou réel"),
        "es": _split("Entorno | Fase | Ambiente | Etapa | Contexto | Demo o real"),
    },
    "version": {
        "en": _split("Version | Release | bot_version | Agent version | Build | Model release"),
        "de": _split("Version | Release | Bot-Version | Agentenversion | Stand | Ausgabe"),
        "fr": _split("Version | Version de l'agent | Version du bot | Révision | Version IA | Édition"),
        "es": _split("Versión | Versión del agente | Versión del bot | Revisión | Versión IA | Edición"),
    },
    "started_at": {
        "en": _split(
            "Created | opened_at | CreatedDate | Ticket created - Timestamp | Created time | Date received | Start time | Received | Opened"
        ),
        "de": _split(
            "Erstellt am | Eingang | Beginn | Eingangsdatum | Erfasst am | Angelegt am | Eröffnet | Startzeit | Erstelldatum"
        ),
        "fr": _split(
            "Date de création | Créé le | Reçu le | Ouvert le | Date de réception | Date d'ouverture | Début"
        ),
        "es": _split(
            "Fecha de creación | Creado el | Recibido el | Fecha de apertura | Inicio | Fecha de entrada | Abierto el"
        ),
    },
    "ended_at": {
        "en": _split(
            "Resolved | closed_at | ClosedDate | Ticket solved - Timestamp | Closed time | Date closed | End time | Completed | Finished"
        ),
        "de": _split(
            "Gelöst am | Ende | Abgeschlossen am | Erledigt am | Geschlossen am | Abschlussdatum | Endzeit"
        ),
        "fr": _split("Date de clôture | Clos le | Résolu le | Date de résolution | Terminé le | Fin"),
        "es": _split(
            "Fecha de cierre | Cerrado el | Resuelto el | Fecha de resolución | Fin | Finalizado el"
        ),
    },
    "work_start": {
        "en": ["Work started", "Timer start", "Started working"],
        "de": ["Bearbeitung Beginn", "Beginn Bearbeitung", "Bearbeitung von"],
        "fr": ["Début de traitement", "Début traitement", "Traitement du"],
        "es": ["Inicio de gestión", "Inicio gestión", "Gestión desde"],
    },
    "work_end": {
        "en": ["Work finished", "Timer end", "Stopped working"],
        "de": ["Bearbeitung Ende", "Ende Bearbeitung", "Bearbeitung bis"],
        "fr": ["Fin de traitement", "Fin traitement", "Traitement au"],
        "es": ["Fin de gestión", "Fin gestión", "Gestión hasta"],
    },
    "amount": {
        "en": _split("Amount | Invoice amount | Claim amount | Value | Total amount | Order value"),
        "de": _split("Betrag | Rechnungsbetrag | Schadenhöhe | Summe | Zahlbetrag | Auftragswert"),
        "fr": _split(
            "Montant | Montant TTC | Montant de la facture | Montant réclamé | Montant total | Somme"
        ),
        "es": _split("Importe | Importe total | Importe de la factura | Monto | Cuantía | Valor"),
    },
    "agent_cost": {
        "en": _split(
            "LLM cost (USD) | ai_cost_usd | Agent cost USD | llm_usd | API cost (USD) | Inference spend USD"
        ),
        "de": _split(
            "KI-Kosten (USD) | Modellkosten USD | Agentenkosten (USD) | LLM-Kosten USD | API-Kosten (USD) | Tokenkosten USD"
        ),
        "fr": _split(
            "Coût IA (USD) | Coût du modèle USD | Coût de l'agent (USD) | Coût LLM USD | Coût API (USD) | Dépense IA USD"
        ),
        "es": _split(
            "Coste IA (USD) | Coste del modelo USD | Coste del agente (USD) | Costo LLM USD | Coste API (USD) | Gasto IA USD"
        ),
    },
    "provider": {
        "en": _split("provider | gen_ai.system | LLM provider"),
        "de": _split("Anbieter | Modellanbieter | KI-Anbieter"),
        "fr": _split("Fournisseur | Fournisseur IA | Prestataire"),
        "es": _split("Proveedor | Proveedor IA | Suministrador"),
    },
    "model": {
        "en": _split("model | gen_ai.request.model | LLM"),
        "de": _split("Modell | Modellname | Sprachmodell"),
        "fr": _split("Modèle | Nom du modèle | Modèle IA"),
        "es": _split("Modelo | Nombre del modelo | Modelo IA"),
    },
    "input_tokens": {
        "en": _split("input_tokens | prompt_tokens | tokens_in"),
        "de": _split("Eingabetoken | Token Eingabe | Prompt-Token"),
        "fr": _split("Jetons d'entrée | Tokens entrée | Tokens prompt"),
        "es": _split("Tokens de entrada | Tokens entrada | Tokens del prompt"),
    },
    "output_tokens": {
        "en": _split("output_tokens | completion_tokens | tokens_out"),
        "de": _split("Ausgabetoken | Token Ausgabe | Antwort-Token"),
        "fr": _split("Jetons de sortie | Tokens sortie | Tokens réponse"),
        "es": _split("Tokens de salida | Tokens salida | Tokens de respuesta"),
    },
}

UNITS: dict[str, dict[str, list[str]]] = {
    "minutes": {
        "en": [" (min)", "_minutes", " in minutes", " min", " [min]"],
        "de": [" (Min.)", "_min", " in Minuten", " [min]"],
        "fr": [" (min)", " en minutes", " (mn)"],
        "es": [" (min)", " en minutos", " (minutos)"],
    },
    "seconds": {
        "en": ["_s", " (sec)", "_seconds", " (s)", " in seconds"],
        "de": [" (Sek.)", " in Sek.", "_s", " in Sekunden"],
        "fr": [" (s)", " en secondes", " (sec)"],
        "es": [" (s)", " en segundos", " (seg)"],
    },
    "hours": {
        "en": [" (h)", "_hours", " (hrs)", " in hours"],
        "de": [" (Std.)", " in Stunden", " (h)"],
        "fr": [" (h)", " en heures", " (heures)"],
        "es": [" (h)", " en horas", " (horas)"],
    },
    "duration": {
        "en": ["", " (hh:mm:ss)", "", ""],
        "de": ["", " (hh:mm:ss)", ""],
        "fr": ["", " (hh:mm:ss)", ""],
        "es": ["", " (hh:mm:ss)", ""],
    },
}

# Values: lists of (ours, theirs) in one order a list.
ARMS: dict[str, list[tuple[str, str]]] = {
    "en": [
        ("control", "treatment"),
        ("without AI", "with AI"),
        ("manual", "AI-assisted"),
        ("before", "after"),
        ("Human only", "Human + Copilot"),
        ("As usual", "Assisted"),
        ("A", "B"),
    ],
    "de": [
        ("ohne KI", "mit KI"),
        ("bisher", "Pilot"),
        ("Kontrolle", "Test"),
        ("vorher", "nachher"),
        ("manuell", "KI-gestützt"),
        ("herkömmlich", "mit Assistent"),
        ("A", "B"),
    ],
    "fr": [
        ("sans IA", "avec IA"),
        ("témoin", "pilote"),
        ("manuel", "assisté par IA"),
        ("avant", "après"),
        ("ancien processus", "nouveau processus"),
        ("humain seul", "humain + IA"),
        ("A", "B"),
    ],
    "es": [
        ("sin IA", "con IA"),
        ("control", "piloto"),
        ("manual", "asistido por IA"),
        ("antes", "después"),
        ("proceso anterior", "proceso nuevo"),
        ("solo humano", "humano + IA"),
        ("A", "B"),
    ],
}
FLAGS: dict[str, list[tuple[str, str]]] = {
    "en": [("No", "Yes"), ("false", "true"), ("0", "1")],
    "de": [("Nein", "Ja"), ("nein", "ja"), ("0", "1")],
    "fr": [("Non", "Oui"), ("non", "oui"), ("0", "1")],
    "es": [("No", "Sí"), ("no", "sí"), ("0", "1")],
}
OUTCOMES: dict[str, list[tuple[str, str, str]]] = {  # correct, error, escalated
    "en": [
        ("correct", "error", "escalated"),
        ("solved", "wrong", "handed over"),
        ("OK", "defective", "to human"),
        ("pass", "fail", "escalation"),
        ("right", "incorrect", "transferred"),
        ("accepted", "rejected", "taken over by a person"),
    ],
    "de": [
        ("richtig", "Fehler", "übergeben"),
        ("korrekt", "fehlerhaft", "eskaliert"),
        ("in Ordnung", "falsch", "an Mensch übergeben"),
        ("i. O.", "n. i. O.", "weitergeleitet"),
        ("fehlerfrei", "Fehler", "Übergabe"),
        ("einwandfrei", "mangelhaft", "abgegeben"),
    ],
    "fr": [
        ("correct", "erreur", "escaladé"),
        ("conforme", "non conforme", "transféré"),
        ("juste", "faux", "remis à un humain"),
        ("bon", "erroné", "escalade"),
        ("sans erreur", "avec erreur", "transféré"),
        ("exact", "inexact", "repris par un agent"),
    ],
    "es": [
        ("correcto", "error", "escalado"),
        ("conforme", "no conforme", "transferido"),
        ("bien", "mal", "derivado a persona"),
        ("correcta", "errónea", "escalada"),
        ("sin error", "con error", "derivado"),
        ("acertado", "equivocado", "pasado a un humano"),
    ],
}
SEVERITIES: dict[str, list[tuple[str, str, str, str]]] = {
    "en": [
        ("minor", "moderate", "major", "critical"),
        ("low", "medium", "high", "critical"),
        ("trivial", "medium", "serious", "catastrophic"),
    ],
    "de": [
        ("gering", "mittel", "hoch", "kritisch"),
        ("leicht", "mittel", "schwer", "kritisch"),
        ("klein", "spürbar", "groß", "existenzbedrohend"),
    ],
    "fr": [
        ("mineure", "modérée", "majeure", "critique"),
        ("faible", "moyenne", "élevée", "critique"),
        ("légère", "sensible", "grave", "très grave"),
    ],
    "es": [
        ("leve", "moderada", "grave", "crítica"),
        ("baja", "media", "alta", "crítica"),
        ("menor", "apreciable", "mayor", "gravísima"),
    ],
}
CAUSES: dict[str, list[tuple[str, str, str, str, str]]] = {  # model, workflow, data, integration, oversight
    "en": [
        ("model", "workflow", "data", "integration", "oversight"),
        ("Model", "Process", "Data", "Interface", "Supervision"),
        ("AI", "procedure", "input", "connection", "control"),
    ],
    "de": [
        ("Modell", "Ablauf", "Daten", "Anbindung", "Aufsicht"),
        ("Modell", "Prozess", "Daten", "Schnittstelle", "Aufsicht"),
        ("KI", "Arbeitsablauf", "Eingaben", "Systemanschluss", "Überwachung"),
    ],
    "fr": [
        ("modèle", "processus", "données", "intégration", "supervision"),
        ("Modèle", "Processus", "Données", "Interface", "Contrôle"),
        ("IA", "procédure", "saisie", "connexion", "surveillance"),
    ],
    "es": [
        ("modelo", "proceso", "datos", "integración", "supervisión"),
        ("Modelo", "Flujo de trabajo", "Datos", "Interfaz", "Supervisión"),
        ("IA", "procedimiento", "entrada", "conexión", "vigilancia"),
    ],
}
SETTINGS: dict[str, list[tuple[str, str]]] = {  # demo, production
    "en": [("demo", "production"), ("test", "live"), ("workshop", "real")],
    "de": [("Demo", "Produktion"), ("Test", "Echtbetrieb"), ("Vorführung", "Wirkbetrieb")],
    "fr": [("démo", "production"), ("test", "réel"), ("maquette", "exploitation")],
    "es": [("demo", "producción"), ("prueba", "real"), ("maqueta", "explotación")],
}
USED: dict[str, list[tuple[str, str, str]]] = {  # yes, edited, no
    "en": [("yes", "edited", "no"), ("Yes", "modified", "No"), ("as is", "reworded", "discarded")],
    "de": [
        ("ja", "bearbeitet", "nein"),
        ("Ja", "geändert", "Nein"),
        ("unverändert", "angepasst", "verworfen"),
    ],
    "fr": [("oui", "modifié", "non"), ("Oui", "modifiée", "Non"), ("telle quelle", "adaptée", "écartée")],
    "es": [("sí", "editado", "no"), ("Sí", "modificado", "No"), ("tal cual", "adaptado", "descartado")],
}

# Columns that mean nothing here and must not be taken for what they are not.
DISTRACTORS: dict[str, list[tuple[str, str]]] = {  # (name, kind of content)
    "en": [
        ("Summary", "text"),
        ("Status", "status"),
        ("Priority", "priority"),
        ("Reporter", "person"),
        ("Updated", "later"),
        ("First response time (min)", "wait"),
        ("Resolution time (in hrs)", "hours"),
        ("Satisfaction Score", "score"),
        ("Labels", "tag"),
        ("Requester", "person"),
        ("Full resolution time (min)", "wait"),
        ("Billable", "flag"),
        ("Reopens", "small"),
        ("Story Points", "small"),
        ("Customer ID", "customer"),
        ("SLA breached", "flag"),
        ("Agent wait time in minutes", "wait"),
        ("Assignment group", "team"),
    ],
    "de": [
        ("Betreff", "text"),
        ("Status", "status"),
        ("Priorität", "priority"),
        ("Kunde", "person"),
        ("Geändert am", "later"),
        ("Durchlaufzeit (Min.)", "wait"),
        ("Wartezeit in Minuten", "wait"),
        ("Zufriedenheit", "score"),
        ("Abrechenbar", "flag"),
        ("Kundennummer", "customer"),
        ("Bemerkung", "text"),
        ("Reaktionszeit (Std.)", "hours"),
        ("Abteilung", "team"),
        ("Wiedervorlagen", "small"),
        ("Lösungszeit (Min.)", "wait"),
    ],
    "fr": [
        ("Objet", "text"),
        ("Statut", "status"),
        ("Priorité", "priority"),
        ("Client", "person"),
        ("Modifié le", "later"),
        ("Délai de réponse (min)", "wait"),
        ("Temps d'attente (min)", "wait"),
        ("Satisfaction", "score"),
        ("Facturable", "flag"),
        ("N° client", "customer"),
        ("Commentaire", "text"),
        ("Délai de résolution (h)", "hours"),
        ("Service", "team"),
        ("Relances", "small"),
    ],
    "es": [
        ("Asunto", "text"),
        ("Estado", "status"),
        ("Prioridad", "priority"),
        ("Cliente", "person"),
        ("Modificado el", "later"),
        ("Tiempo de respuesta (min)", "wait"),
        ("Tiempo de espera (min)", "wait"),
        ("Satisfacción", "score"),
        ("Facturable", "flag"),
        ("Nº de cliente", "customer"),
        ("Comentario", "text"),
        ("Tiempo de resolución (h)", "hours"),
        ("Departamento", "team"),
        ("Reaperturas", "small"),
    ],
}
STATUSES = {
    "en": ("Closed", "Resolved", "Done"),
    "de": ("Geschlossen", "Erledigt", "Offen"),
    "fr": ("Clos", "Résolu", "Ouvert"),
    "es": ("Cerrado", "Resuelto", "Abierto"),
}
PRIORITIES = {
    "en": ("Low", "Medium", "High"),
    "de": ("Niedrig", "Mittel", "Hoch"),
    "fr": ("Basse", "Moyenne", "Haute"),
    "es": ("Baja", "Media", "Alta"),
}
YES_NO = {"en": ("Yes", "No"), "de": ("Ja", "Nein"), "fr": ("Oui", "Non"), "es": ("Sí", "No")}
TEAMS = {
    "en": ("Tier 1", "Tier 2", "Back office"),
    "de": ("Team Nord", "Team Süd", "Innendienst"),
    "fr": ("Équipe Nord", "Équipe Sud", "Back-office"),
    "es": ("Equipo Norte", "Equipo Sur", "Back office"),
}
PEOPLE = _split(
    "Anna Schmidt | Ben Carter | Chloé Martin | Diego Ruiz | Eva Novak | Farid Haddad | Greta Olsen | Hugo Lefèvre | "
    "Inés Ortega | Jonas Weber | Karin Lund | Luca Rossi | Marta Gil | Nils Berg | Olga Petrova | Paul Dubois"
)
SENTENCES = _split(
    "Question about my last bill | Please call me back | Form arrived without page two | Address has changed | "
    "Two items are missing | Cannot log in since Monday | Change of bank details | Copy of the contract"
)
