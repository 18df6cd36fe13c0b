"""For somebody who lost their second factor and their recovery codes."""

from allauth.mfa.models import Authenticator
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import factors


class LostFactorForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("How you made sure that it is them who asks"),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": gettext_lazy("Enter how you made sure")},
    )


class FactorVerbs:
    """For the console's page of a person, beside ``PrivacyVerbs``."""

    factor_verbs = ("factor",)

    def open_factor_verbs(self, person) -> list[tuple[str, str]]:
        has_one = Authenticator.objects.filter(user=person).exists()
        return [(_("Remove second factor"), "factor")] if has_one else []

    def factor_view(self, request, object_id):
        person = self._person_for(request, object_id)
        form = LostFactorForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            words = _("Second factor removed.")
            return self._do(request, person, factors.take_away, words, **form.cleaned_data)
        return self._ask_about(
            request,
            person,
            title=_("Remove second factor"),
            question=_("Remove the second factor of %(person)s?") % {"person": person},
            words=_(
                "For somebody who lost it: somebody else may ask in their name. They are signed "
                "out everywhere, told by email, and come in with their password alone."
            ),
            yes=_("Yes, remove it"),
            form=form,
            is_grave=True,
        )
