from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html

from ..short_messages import offers, push

register = template.Library()


@register.simple_tag(takes_context=True)
def push_again(context):
    """The script that gives pushes back to whoever allowed them in this browser and has signed in
    anew. It asks the database nothing."""
    request = context["request"]
    if not (push.is_on() and request.user.is_authenticated):
        return ""
    return format_html(
        '<script type="module" src="{}" data-push-again data-key="{}" data-person="{}" '
        'data-session="{}" data-action="{}"></script>',
        static("js/push-again.js"),
        push.public_key(),
        offers.name_for(request.user),
        offers.name_of_session(request.session.session_key),
        reverse("notifications:renew_browser"),
    )
