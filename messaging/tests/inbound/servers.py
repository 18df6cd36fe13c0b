"""A real IMAP server for tests: Dovecot, with one mailbox whose password is ``PASSWORD``, or
``IN_UNICODE``."""

import imaplib
import os
import pwd
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager

from notifications.tests.smtp import free_port

from .mails import make_mail

PASSWORD = "three-small-words"
IN_UNICODE = "drei-kleine-Wörter"
CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/%u
mail_privileged_group =
mailbox_idle_check_interval = 1s
default_vsz_limit = 0
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
namespace inbox {{
  inbox = yes
  mailbox Done {{
    auto = create
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
passdb {{
  driver = static
  args = password={in_unicode}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
"""


class Dovecot:
    """``with Dovecot(folder) as server``; ``server.put(raw)`` delivers a mail."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()

    @staticmethod
    def is_here() -> bool:
        return bool(shutil.which("dovecot")) and os.geteuid() == 0

    def __enter__(self):
        nobody = pwd.getpwnam("nobody")
        mail = self.folder / "mail"
        mail.mkdir()
        shutil.chown(mail, nobody.pw_uid, nobody.pw_gid)
        self.folder.chmod(0o711)
        config = self.folder / "dovecot.conf"
        config.write_text(
            CONFIG.format(
                folder=self.folder, port=self.port, password=PASSWORD, in_unicode=IN_UNICODE,
                uid=nobody.pw_uid, gid=nobody.pw_gid,
            )
        )  # fmt: skip
        self.process = subprocess.Popen(["dovecot", "-F", "-c", str(config)])
        for _try in range(600):
            try:
                with self.client():
                    return self
            except OSError:
                time.sleep(0.1)
        self.__exit__()
        raise AssertionError((self.folder / "log").read_text())

    def __exit__(self, *args):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    @contextmanager
    def client(self):
        with imaplib.IMAP4("127.0.0.1", self.port) as client:
            client.login("care", PASSWORD)
            yield client

    def put(self, raw: bytes, folder="INBOX"):
        with self.client() as client:
            client.append(folder, None, None, raw)

    def in_folder(self, folder="INBOX") -> int:
        with self.client() as client:
            return int(client.select(folder)[1][0])

    def unseen(self) -> int:
        with self.client() as client:
            client.select("INBOX", readonly=True)
            return len(client.search(None, "UNSEEN")[1][0].split())


def put(server, *subjects, folder="INBOX"):
    for subject in subjects:
        server.put(make_mail(subject=subject).as_bytes(), folder)
