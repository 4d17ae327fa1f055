"""Company or person: the form of a party, by what both sides tell. Pure.

A side tells a form when people change what it says (specification, entities.md 1). EspoCRM says company by a legal form
or a ``firmenname``, and person when neither is left; Advoware by a legal form, and person when a first name stands
without one: a legal form alone takes no company its name. A word that the table lacks says nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from vmh_sync.beteiligte.fields import PERSON_ONLY
from vmh_sync.beteiligte.model import FIRM, MIRROR, Form, espo_rechtsform, is_company, names_company
from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.fields import FieldTable, is_foreign
from vmh_sync.sync.merge import Decision, Verdict
from vmh_sync.sync.values import Kind, Value, same, text

FORM = "_form"
"""Base key of EspoCRM's side: the form that a party has taken since it was linked."""

SAID_COMPANY = "_said_company"
"""Base key of Advoware's side: it said company, and says nothing since."""

_COMPANY, _PERSON = "company", "person"
_DISPUTED = ("rechtsform", "name")


def read_form(
    espo: Mapping[str, object], advoware: Fields | None, base: Base | None, table: FieldTable
) -> tuple[Form, Base | None]:
    """Return the form of a party, and the base as that form sees it.

    One side tells: so it is. Both tell different ones: it stays what it was, and a person is asked. Nobody tells: it
    stays. At a first contact either side may say that it is a company. ``advoware`` is what it says of a person.
    """
    rechtsform = advoware.get("rechtsform") if advoware is not None else None
    if base is None or advoware is None:
        return Form(is_company(espo, rechtsform, table)), base
    told = {_espo_tells(espo, base.espocrm, table), _advoware_tells(advoware, base.advoware)} - {None}
    was = _was_company(base)
    company = told == {True} if len(told) == 1 else was
    if len(told) > 1:
        return Form(was, _kept(base), disputed=True), base
    turned = company is not was
    new = turned or (company and base.espocrm.get(FORM) == _COMPANY and MIRROR not in base.espocrm)
    now = _remember_word(base, advoware)
    return Form(company, _kept(base), new=new), _turned(now, table, company=company) if turned else now


def _kept(base: Base) -> frozenset[str]:
    """Return what only a person has and is still known of the party."""
    return frozenset(name for name in PERSON_ONLY if base.espocrm.get(name) or base.advoware.get(name))


def _espo_tells(espo: Mapping[str, object], before: Fields, table: FieldTable) -> bool | None:
    """Return whether EspoCRM tells since the base that the party is a company; ``None``: it tells nothing."""
    rechtsform, firm = espo_rechtsform(espo, table), text(espo.get("firmenname"))
    form_before, firm_before = before.get("rechtsform"), _firm(before)
    typed = names_company(rechtsform) and not same(Kind.TEXT, rechtsform, form_before)
    if typed or (firm is not None and not same(Kind.TEXT, firm, firm_before)):
        return True
    said_person = firm_before is None and not form_before
    return False if firm is None and not rechtsform and not said_person else None


def _firm(before: Fields) -> Value:
    return before.get(FIRM, before.get("name") if MIRROR in before else None)


def _advoware_tells(advoware: Fields, before: Fields) -> bool | None:
    word = _advoware_word(advoware)
    if word and not same(Kind.TEXT, advoware.get("rechtsform"), before.get("rechtsform")):
        return True
    return False if word is False and _said_company(before) else None


def _advoware_word(fields: Fields) -> bool | None:
    rechtsform = fields.get("rechtsform")
    if names_company(rechtsform):
        return True
    return False if fields.get("vorname") and not is_foreign(rechtsform) else None


def _said_company(before: Fields) -> bool:
    return SAID_COMPANY in before or names_company(before.get("rechtsform"))


def _was_company(base: Base) -> bool:
    if FORM in base.espocrm:
        return base.espocrm[FORM] == _COMPANY
    said = names_company(base.espocrm.get("rechtsform")) or names_company(base.advoware.get("rechtsform"))
    return said or MIRROR in base.espocrm


def _remember_word(base: Base, advoware: Fields) -> Base:
    """Advoware's legal form may go in one save and the first name come in the next."""
    silent = _advoware_word(advoware) is None and _said_company(base.advoware)
    if silent is (SAID_COMPANY in base.advoware):
        return base
    kept = {name: value for name, value in base.advoware.items() if name != SAID_COMPANY}
    return replace(base, advoware={**kept, SAID_COMPANY: True} if silent else kept)


def _turned(base: Base, table: FieldTable, *, company: bool) -> Base:
    """Return the base as the new form sees it.

    The name of a person stands in ``lastName`` alone. Of a company nobody asked for a first name: what stands there
    when it becomes a person was typed.
    """
    espo, advoware = dict(base.espocrm), dict(base.advoware)
    espo[FORM] = _COMPANY if company else _PERSON
    if not company:
        espo["name"] = espo.pop(MIRROR, espo.get("name"))
        for name in PERSON_ONLY - _kept(base):
            if name in table:
                espo[name] = advoware[name] = None
    return Base(espo, advoware)


def decided_by_form(decisions: Iterable[Decision], form: Form, agreed: Value) -> list[Decision]:
    """Return the decisions as the form wants them.

    Disputed, name and legal form wait for a person. Of a company that became a person ``agreed`` is the name: where
    ``lastName`` never took it and Advoware has it, that is nobody's edit, and it is offered once more.
    """
    return [_by_form(one, form, agreed) for one in decisions]


def _by_form(one: Decision, form: Form, agreed: Value) -> Decision:
    if form.disputed and one.field in _DISPUTED:
        espo, advo = (one.replaced, one.value) if one.source is Side.ADVOWARE else (one.value, one.replaced)
        return Decision(one.field, Verdict.HOLD, None, espo, advo)
    left_behind = form.new and not form.company and one.field == "name" and one.verdict is Verdict.QUIET
    espo, advo = one.value, one.replaced
    if left_behind and same(Kind.TEXT, advo, agreed) and not same(Kind.TEXT, espo, advo):
        return Decision("name", Verdict.COPY, Side.ADVOWARE, advo, espo)
    return one


def with_our_homes(base: Base, brought: Mapping[Side, Fields], espo: Mapping[str, object]) -> Base:
    """Return the base with what the homes of a company's name said when a killed pass brought these fields.

    Sent to EspoCRM, what repeats the name there is ours, and so is the ``firmenname`` that is gone with the legal form.
    Sent to Advoware, the name was typed into one of the two: the one that has moved, or ``firmenname``.
    """
    firm, last = text(espo.get("firmenname")), text(espo.get("lastName"))
    homes = {key: base.espocrm[key] for key in (FIRM, MIRROR) if key in base.espocrm}
    name, into_espocrm = base.espocrm.get("name"), brought[Side.ESPOCRM]
    if "rechtsform" in into_espocrm or "name" in into_espocrm:
        if firm is None and "rechtsform" in into_espocrm and not names_company(into_espocrm["rechtsform"]):
            homes = {}
        elif firm is not None and same(Kind.TEXT, firm, name):
            homes[FIRM] = firm
        if MIRROR in homes and same(Kind.TEXT, last, name):
            homes[MIRROR] = last
    elif "name" in brought[Side.ADVOWARE] and len(homes) > 1:
        in_last = same(Kind.TEXT, firm, homes[FIRM]) and not same(Kind.TEXT, last, homes[MIRROR])
        homes[MIRROR if firm is None or in_last else FIRM] = name
    known = {key: value for key, value in base.espocrm.items() if key not in (FIRM, MIRROR)}
    return Base({**known, **homes}, base.advoware)
