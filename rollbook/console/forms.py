"""What people type into the console."""

from django import forms
from django.utils.translation import gettext_lazy as _

from rollbook.console.words import ROLES_OF_A_DISTRICT


class RoleForm(forms.Form):
    """What somebody does in this district, and a school administrator in which schools."""

    role = forms.ChoiceField(
        label=_("Role"),
        required=False,
        initial="district administrator",
        choices=list(ROLES_OF_A_DISTRICT.items()),
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    schools = forms.CharField(
        label=_("Schools, for a school administrator only: their sourcedIds, one a line"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )

    def clean_role(self) -> str:
        """What an administrator of the district is, where nothing was chosen."""
        return self.cleaned_data["role"] or "district administrator"

    def clean_schools(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["schools"].splitlines() if line.strip()]


class InviteForm(RoleForm):
    """A person who is to work in this district."""

    field_order = ("email", "name", "role", "schools")

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
