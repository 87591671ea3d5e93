"""What is typed into the form of an app of the catalogue, and how it becomes what `flows.catalogue` takes."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from rollbook.engine import needs, pictures
from rollbook.engine.needs import Need
from rollbook.engine.web_addresses import redirect_uris, web_address
from rollbook.flows import catalogue
from rollbook.refusal import Refusal
from rollbook.store.models import App

LINES = {"rows": 3, "spellcheck": "false", "autocomplete": "off"}
TYPED = {"autocomplete": "off"}


def _line(label: Any, hint: Any = "", most: int = 200, required: bool = False) -> Any:
    field = forms.CharField(
        label=label, max_length=most, required=required, widget=forms.TextInput(attrs=dict(TYPED))
    )
    return _hinted(field, hint)


def _lines(label: Any, hint: Any, rows: int = 3) -> Any:
    field = forms.CharField(
        label=label, required=False, max_length=20_000, widget=forms.Textarea(attrs={**LINES, "rows": rows})
    )
    return _hinted(field, hint)


def _hinted(field: Any, hint: Any) -> Any:
    field.hint = hint
    return field


class AppForm(forms.Form):
    """An app of the catalogue. A partner's own company is its vendor, so a developer is not asked for one."""

    name = _line(_("Name"), _("As its users know it."), required=True)
    vendor = _line(_("Company"))
    description = _lines(
        _("Description"), _("What it is for, in two or three sentences a school understands.")
    )
    website = _line(_("Website"), _("Begins with https://"), 2000)
    logo = _hinted(
        forms.FileField(
            label=_("Logo"), required=False, widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"})
        ),
        _("PNG or JPEG, square, 100 to 2,000 points a side, at most 500 kB."),
    )
    remove_logo = forms.BooleanField(label=_("Show no logo"), required=False)
    contact_name = _line(_("Developer to write to: name"))
    contact_email = _line(
        _("Developer to write to: e-mail address"),
        _("Districts' questions go here, where no developer registered the app."),
        254,
    )
    start_url = _line(_("Start address"), _("Where a person begins to use it. Begins with https://"), 2000)
    redirect_uris = _lines(
        _("Redirect addresses"),
        _("Where a sign-in may lead back to, one a line. Each begins with https:// (http:// only for localhost)."),
    )  # fmt: skip
    needs = _lines(
        _("Data it needs"),
        _("One a line: required or optional, a collection or one of its fields, a colon, the reason. Such as: required users.email: to sign in"),
        rows=5,
    )  # fmt: skip
    instructions = _lines(
        _("Instructions for districts"),
        _("What a district has to do or to know when it adds the app."),
        rows=4,
    )
    in_development = forms.BooleanField(label=_("In development"), required=False)

    def __init__(
        self, data: Any = None, files: Any = None, app: App | None = None, with_vendor: bool = True
    ) -> None:
        super().__init__(data, files, initial=_initial(app) if app else None, auto_id="%s")
        self.has_logo = app is not None and hasattr(app, "logo")
        if not with_vendor:
            del self.fields["vendor"]

    @property
    def texts(self) -> list[Any]:
        """The fields that are typed, in order."""
        return [self[name] for name in self.fields if name not in ("logo", "remove_logo", "in_development")]

    def clean_website(self) -> str:
        return str(_judged(web_address, self.cleaned_data["website"]))

    def clean_start_url(self) -> str:
        return str(_judged(web_address, self.cleaned_data["start_url"]))

    def clean_redirect_uris(self) -> list[str]:
        return list(_judged(redirect_uris, self.cleaned_data["redirect_uris"].splitlines()))

    def clean_needs(self) -> tuple[Need, ...]:
        return tuple(_judged(needs.parse_lines, self.cleaned_data["needs"]))

    def clean_logo(self) -> bytes | None:
        """The picture's bytes, if one was chosen; what is too large is not read."""
        file = self.cleaned_data["logo"]
        if not file:
            return None
        content = file.read(pictures.MOST_BYTES + 1)
        _judged(pictures.logo, content)
        return bytes(content)

    @property
    def entry(self) -> dict[str, Any]:
        """What is said of the app, as `flows.catalogue` takes it."""
        return {name: value for name, value in self.cleaned_data.items() if name in catalogue.FIELDS}

    def picture(self, app: App) -> None:
        """Gives the app its logo, or takes it away."""
        if self.cleaned_data["logo"]:
            catalogue.set_logo(app, self.cleaned_data["logo"])
        elif self.cleaned_data["remove_logo"]:
            catalogue.remove_logo(app)


def _judged(judge: Callable[[Any], Any], value: Any) -> Any:
    try:
        return judge(value)
    except Refusal as refusal:
        raise ValidationError(words_of(refusal)) from refusal


def words_of(refusal: Refusal) -> str:
    """A refusal in its words, then what it was about."""
    return f"{refusal.words} ({refusal})" if str(refusal) else refusal.words


def _initial(app: App) -> dict[str, Any]:
    same = (
        "name", "vendor", "description", "website", "contact_name", "contact_email", "start_url", "instructions",
        "in_development",
    )  # fmt: skip
    return {name: getattr(app, name) for name in same} | {
        "redirect_uris": "\n".join(app.redirect_uris),
        "needs": needs.lines(catalogue.needs_of(app)),
    }
