"""What administrators do with a person's data: a copy, a legal hold, and erasing it."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import erasure, exports, holds
from accounts.console import ReadOnlyAdmin
from accounts.models import DataExport, Standing, User
from accounts.people import AccountRefusal, may_change


class HoldForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why this must be kept, for example the number of a court case"),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": gettext_lazy("Enter a reason")},
    )


class EraseForm(forms.Form):
    LATER, NOW = "later", "now"

    when = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=[
            (LATER, gettext_lazy("After the waiting time")),
            (NOW, gettext_lazy("At once")),
        ],
        initial=LATER,
        widget=forms.RadioSelect,
    )


class PrivacyVerbs:
    """For the console's page of a person. Each verb asks before it acts."""

    privacy_verbs = ("export", "hold", "release", "erase", "keep")

    def open_privacy_verbs(self, person) -> list[tuple[str, str]]:
        """What may be done with ``person``'s data as they stand now."""
        if person.standing == Standing.ERASED:
            return []
        export = (_("Copy of their data"), "export")
        if person.legal_hold:
            return [export, (_("End the legal hold"), "release")]
        erase = (_("Keep the account"), "keep") if person.erase_at else (_("Erase"), "erase")
        return [export, (_("Legal hold"), "hold"), erase]

    def export_view(self, request, object_id):
        person = self._person_for(request, object_id)
        if request.method == "POST":
            return self._do(request, person, exports.ask_for, _("Copy of the data asked for."))
        return self._ask_about(
            request,
            person,
            title=_("Copy of a person's data"),
            question=_("Make a copy of everything about %(person)s?") % {"person": person},
            words=_(
                "You get an email when it is ready, and download it from your own privacy page. "
                "Nobody else can. Their account history says that you did."
            ),
            yes=_("Yes, make the copy"),
        )

    def hold_view(self, request, object_id):
        person = self._person_for(request, object_id)
        form = HoldForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            words = _("Put on legal hold.")
            return self._do(request, person, holds.hold, words, **form.cleaned_data)
        return self._ask_about(
            request,
            person,
            title=_("Legal hold"),
            question=_("Put %(person)s on legal hold?") % {"person": person},
            words=_("Nothing of theirs is erased or retired until it ends. They are not told."),
            yes=_("Yes, keep everything"),
            form=form,
        )

    def release_view(self, request, object_id):
        person = self._person_for(request, object_id)
        if request.method == "POST":
            return self._do(request, person, holds.release, _("Legal hold ended."))
        return self._ask_about(
            request,
            person,
            title=_("End a legal hold"),
            question=_("End the legal hold on %(person)s?") % {"person": person},
            words=_("What was to be erased or retired meanwhile is, when its job runs next."),
            yes=_("Yes, end it"),
        )

    def erase_view(self, request, object_id):
        person = self._person_for(request, object_id)
        form = EraseForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            at_once = form.cleaned_data["when"] == EraseForm.NOW
            words = _("To be erased at once.") if at_once else _("To be erased.")
            return self._do(request, person, erasure.ask, words, at_once=at_once)
        return self._ask_about(
            request,
            person,
            title=_("Erase a person"),
            question=_("Erase %(person)s?") % {"person": person},
            words=_(
                "The door shuts at once. During the waiting time the account can be restored. Then "
                "it goes for good, with the words and files of their tickets; the tickets stay as "
                "numbers. Open ones are withdrawn."
            ),
            yes=_("Yes, erase %(person)s") % {"person": person},
            form=form,
            is_grave=True,
        )

    def keep_view(self, request, object_id):
        person = self._person_for(request, object_id)
        if request.method == "POST":
            return self._do(request, person, erasure.stop, _("Kept: not to be erased."))
        return self._ask_about(
            request,
            person,
            title=_("Keep an account"),
            question=_("Keep the account of %(person)s?") % {"person": person},
            words=_("It will not be erased, and the door opens again. They are told by email."),
            yes=_("Yes, keep it"),
        )

    def _person_for(self, request, pk):
        person = get_object_or_404(User, pk=pk)
        if person == request.user or not may_change(request.user, person):
            raise PermissionDenied
        return person

    def _ask_about(self, request, person, **context):
        facts = [
            (_("Email"), person.email),
            (_("Role"), person.get_role_display()),
            (_("Standing"), person.get_standing_display()),
        ]
        if person.erase_at:
            facts.append((_("To be erased"), person.erase_at))
        if person.legal_hold:
            facts.append((_("Legal hold"), person.legal_hold))
        back = self.url_of("change", person)
        return self.ask(request, facts=facts, back=back, **context)

    def _do(self, request, person, verb, words, **answers):
        try:
            with self.recorded(request, person, words):
                verb(person, by=request.user, **answers)
        except AccountRefusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, f"{person}: {words}", messages.SUCCESS)
        return redirect(self.url_of("change", person))


@admin.register(DataExport)
class DataExportAdmin(ReadOnlyAdmin):
    """Who asked for whose data, and when. The archive itself is for whoever asked."""

    list_display = ("user", "asked_by", "created_at", "ready_at", "expires_at", "trouble")
    list_select_related = ("user", "asked_by")
    search_fields = ("user__email__startswith", "asked_by__email__startswith")
    fields = ("user", "asked_by", "created_at", "ready_at", "expires_at", "tries", "trouble")
