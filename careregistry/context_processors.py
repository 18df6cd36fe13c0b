from django.conf import settings

THEMES = ("auto", "light", "dark")


def site(request):
    """What every page needs to know of the installation and of the reader's choices."""
    theme = request.COOKIES.get("theme")
    unsent = settings.EMAIL_BACKEND.endswith("FolderBackend") and not settings.PRODUCTION
    return {
        "site": {
            "name": settings.SITE_NAME,
            "theme": theme if theme in THEMES else "auto",
            "mail_dir": settings.MAIL_DIR if unsent else None,
            "has_google": bool(settings.GOOGLE_CLIENT_ID and settings.GOOGLE_CLIENT_SECRET),
        }
    }
