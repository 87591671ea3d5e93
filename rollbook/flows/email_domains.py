"""E-mail domains: where the addresses of a district's students and staff are. Without any, no address is judged by its domain."""

import re
from collections.abc import Iterable

from django.db import transaction

from rollbook.flows import audit
from rollbook.refusal import Refusal
from rollbook.store.models import District, EmailDomain

DOMAIN = re.compile(r"(?=.{1,253}$)([^\W_]([\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]*[^\W_]")


class NotADomain(Refusal):
    """This is not a domain: write what stands behind the @ of an address, such as riverbend.example."""

    @property
    def words(self) -> str:
        return super().words.replace("This", f"“{self.args[0]}”", 1)


def domains_of(district: District) -> tuple[str, ...]:
    """The domains, as `judge` takes them, in the order of the alphabet."""
    return tuple(
        EmailDomain.objects.filter(district=district).order_by("domain").values_list("domain", flat=True)
    )


def set_domains(district: District, domains: Iterable[str], by: str) -> tuple[str, ...]:
    """These, and no others, from the next judgement on; none ends the judging by domain. Raises NotADomain, and then nothing is changed."""
    wanted = {clean_domain(text) for text in domains if text.strip()}
    with transaction.atomic():
        before = domains_of(district)
        EmailDomain.objects.filter(district=district).exclude(domain__in=wanted).delete()
        for domain in sorted(wanted.difference(domains_of(district))):
            EmailDomain.objects.create(district=district, domain=domain, by=by)
        if set(before) != wanted:
            told = {"before": {"domains": list(before)}, "after": {"domains": sorted(wanted)}}
            audit.record(district.pk, "domains.change", "settings", "email-domains", **told)
    return domains_of(district)


def clean_domain(text: str) -> str:
    """In small letters, and without the @ that people write in front."""
    domain = text.strip().lower().removeprefix("@").rstrip(".")
    if not DOMAIN.fullmatch(domain):
        raise NotADomain(text.strip())
    return domain
