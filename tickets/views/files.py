"""What came with a ticket."""

from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from ..models import Attachment


@require_GET
def attachment(request, pk):
    """A file, for whoever may read the line it came with. Never shown on our own pages' origin
    as anything a browser would run."""
    found = get_object_or_404(Attachment.objects.visible_to(request.user), pk=pk)
    response = FileResponse(found.file.open("rb"), content_type=found.content_type)
    response["Content-Disposition"] = content_disposition_header(True, found.name)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response
