from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from notifications.mail import template_checks
from notifications.mail.samples import NAMES, sample_of
from notifications.mail.templates import in_a_line, listening


class Command(BaseCommand):
    help = "Lists, shows and checks the templates of mails, with your own over the product’s."

    def add_arguments(self, parser):
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="every mail, and which of its templates are your own")
        showing = verbs.add_parser("show", help="one mail as it would be sent")
        showing.add_argument("name", choices=NAMES, metavar="name", help="as list names it")
        showing.add_argument("--html", action="store_true", help="the HTML in place of the text")
        showing.add_argument(
            "--language", default=settings.LANGUAGE_CODE, choices=dict(settings.LANGUAGES)
        )
        verbs.add_parser("check", help="write every mail in every language, and say what is wrong")

    def handle(self, *, verb, **options):
        {"list": self.list_all, "show": self.show_one, "check": self.check_all}[verb](options)

    def list_all(self, options):
        for folder in template_checks.folders():
            self.stdout.write(f"Your own are looked for in {folder}")
        written = template_checks.overrides()
        for name in NAMES:
            self.tell(name, written, f"{name}_subject.txt", f"{name}_message.txt")
        self.tell("every mail", written, "base_message.html", "base_message.txt", "_why.txt")

    def tell(self, name, written, *files):
        own = [str(path) for path in written if path.name in files]
        self.stdout.write("\t".join([name, *own]))

    def show_one(self, options):
        with listening() as troubles:
            mail = sample_of(options["name"], options["language"])
        for trouble in troubles:
            words = f"A template is broken, so the product’s own is used: {in_a_line(trouble)}"
            self.stderr.write(words)
        if options["html"]:
            self.stdout.write(mail.alternatives[0].content)
        else:
            self.stdout.write(f"From: {mail.extra_headers['From']}\nSubject: {mail.subject}\n\n")
            self.stdout.write(mail.body)

    def check_all(self, options):
        wrong = list(template_checks.all_wrong())
        for each in wrong:
            self.stderr.write(f"{each.place}: {each.reason}")
        if wrong:
            raise CommandError(
                f"{len(wrong)} found. In place of a broken template the product’s own is used; a "
                "name that means nothing stays empty."
            )
        languages = ", ".join(template_checks.languages())
        self.stdout.write(f"All {len(NAMES)} mails can be written, in: {languages}")
