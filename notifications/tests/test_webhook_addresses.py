"""Where webhooks may lead: nowhere but the public internet, asked when saved and at each call."""

import socket
import ssl
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.utils import timezone

from notifications.models import WebhookDelivery
from notifications.webhooks import client
from notifications.webhooks.client import AddressRefused, NoAnswer, check, post
from notifications.webhooks.events import owe_test

from .receiver import Receiver, call_all, make_webhook

pytestmark = pytest.mark.plan("SEC-B17")

PUBLIC = "93.184.215.14"
REFUSED = [
    # this machine and private networks, in every notation
    "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/",
    "https://0177.0.0.1/", "https://localhost/", "https://0.0.0.0/", "https://10.1.2.3/",
    "https://172.16.0.1/", "https://192.168.1.1:8443/", "https://100.64.0.1/", "https://192.0.2.1/",
    "https://198.18.0.1/", "https://169.254.169.254/latest/meta-data/", "https://255.255.255.255/",
    "https://224.0.0.1/", "https://239.1.1.1/", "https://240.0.0.1/", "https://0.1.2.3/",
    "https://192.0.0.8/", "https://192.0.0.9/", "https://192.0.0.192/", "https://192.88.99.1/",
    "https://198.51.100.1/", "https://203.0.113.1/", "https://168.63.129.16/",
    "https://[::1]/", "https://[::]/", "https://[fe80::1]/", "https://[fe80::1%25lo]/",
    "https://[fc00::1]/", "https://[fec0::1]/", "https://[ff02::1]/", "https://[2001:db8::1]/",
    "https://[3fff::1]/", "https://[100::1]/", "https://[100:0:0:1::1]/", "https://[5f00::1]/",
    "https://[2001:1::1]/", "https://[2001:2::1]/", "https://[2001:3::1]/",
    "https://[2001:4:112::1]/", "https://[2001:20::1]/",
    # addresses that hold another one: IPv4-mapped, -compatible, NAT64, 6to4, Teredo
    "https://[::ffff:127.0.0.1]/", "https://[::ffff:93.184.215.14]/", "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/", "https://[64:ff9b::a9fe:a9fe]/", "https://[64:ff9b:1::1]/",
    "https://[64:ff9b::a83f:8110]/",
    "https://[2002:7f00:1::]/", "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
]  # fmt: skip
NOT_OF_THE_WEB = [
    "", "https://", "crm.example.com", "//crm.example.com/", "https:///hook", "https://crm:port/",
    "https://crm:99999/", "https://[::1", "https://crm.example.com/a b", "https://crm\n.example/",
    "https://crm.example.com/\r\nX-Evil: 1", "https://crm\x00.example/",
]  # fmt: skip
OTHER_SCHEMES = [
    "http://crm.example.com/", "ftp://crm.example.com/", "file:///etc/passwd",
    "gopher://127.0.0.1:25/", "javascript:alert(1)", "data:text/plain,x", "unix://var/run/x",
]  # fmt: skip
OTHER_LETTERS = ["https://bücher.example/", "https://crm.example.com/bücher"]
WITH_NAMES = ["https://user@crm.example.com/", "https://user:word@crm.example.com/",
              "https://@crm.example.com/", "https://crm.example.com\\@127.0.0.1/"]  # fmt: skip


@pytest.fixture
def names(monkeypatch):
    """``names[host] = [answers, …]``: what a name stands for, asked one time after the other. The
    last stays. No other name is known; numbers are read as they always are."""
    known = {}
    read = socket.getaddrinfo

    def resolve(host, port, *args, **kwargs):
        if host not in known:
            return read(host, port, *args, **kwargs | {"flags": socket.AI_NUMERICHOST})
        answers = known[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [found for address in addresses for found in read(address, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    known["localhost"] = [["127.0.0.1", "::1"]]
    return known


@pytest.mark.parametrize("url", REFUSED)
def test_what_is_not_public_is_refused(names, url):
    with pytest.raises(AddressRefused, match=r"not on the public internet|No address is known"):
        check(url)


@pytest.mark.parametrize(
    ("urls", "words"),
    [
        (NOT_OF_THE_WEB, "not an address of the web|must begin with|No address is known"),
        (OTHER_SCHEMES, "must begin with https://|not an address of the web"),
        (WITH_NAMES, "must not hold a name or a password"),
        (OTHER_LETTERS, "is xn--bcher-kva.example"),
    ],
    ids=["broken", "schemes", "names", "letters"],
)
def test_what_is_no_address_of_the_web_is_refused(names, urls, words):
    names["crm.example.com"] = [[PUBLIC]]

    for url in urls:
        with pytest.raises(AddressRefused, match=words):
            check(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example.com/hook?key=1", "https://crm.example.com:8443/", f"https://{PUBLIC}/",
        "https://[2606:2800:220:1::1]/", "https://[64:ff9b::5db8:d70e]/", "HTTPS://CRM.example.com",
        "https://192.0.1.1/", "https://192.88.98.1/", "https://168.63.129.17/",
        "https://[2001:200::1]/",
    ],
)  # fmt: skip
def test_what_is_public_is_taken(names, url):
    names["crm.example.com"] = [[PUBLIC, "2606:2800:220:1::1"]]

    check(url)


@pytest.mark.parametrize("addresses", [["10.0.0.7"], [PUBLIC, "127.0.0.1"], [PUBLIC, "fd00::1"]])
def test_a_name_is_refused_if_one_of_its_addresses_is_private(names, addresses):
    names["crm.example.com"] = [addresses]

    with pytest.raises(AddressRefused, match=r"crm\.example\.com \(.+\) is not on"):
        check("https://crm.example.com/")


def test_a_name_that_nobody_knows_is_refused(names):
    with pytest.raises(AddressRefused, match=r"No address is known for nobody\.example\.com"):
        check("https://nobody.example.com/")


def test_only_hosts_the_operator_named_for_it_may_be_internal(names, settings):
    """For webhooks, that is: who calls for another reason does not reach them."""
    settings.WEBHOOK_INTERNAL_HOSTS = ["crm"]
    names["crm"] = names["other"] = [["10.0.0.7"]]

    check("http://crm:8000/hook", internal_hosts=["crm"])
    for url, internal_hosts in [
        ("http://other/hook", ["crm"]), ("https://other/hook", ["crm"]),
        ("http://crm:8000/hook", []), ("https://crm/hook", []),
    ]:  # fmt: skip
        with pytest.raises(AddressRefused):
            check(url, internal_hosts=internal_hosts)


# --- At each call ---------------------------------------------------------------


def https_to(receiver, host):
    return f"https://{host}:{receiver.port}/hook"


def test_a_name_that_turns_private_after_it_was_saved_is_not_called(names, db):
    """DNS rebinding: the address that is called is the one that was checked."""
    names["crm.example.com"] = [[PUBLIC], ["127.0.0.1"]]
    with Receiver() as receiver:
        url = https_to(receiver, "crm.example.com")
        check(url)
        webhook, _secret = make_webhook(url, "ticket.raised")

        owe_test(webhook)
        call_all()

    assert receiver.calls == []
    assert WebhookDelivery.objects.get().last_answer == (
        "crm.example.com (127.0.0.1) is not on the public internet."
    )


def test_the_name_is_asked_once_for_a_call(names, monkeypatch, settings):
    """And the connection goes to what was checked, whatever the name stands for a moment later."""
    names["crm.example.com"] = [[PUBLIC], ["127.0.0.1"]]
    connected = []

    def connect(address, *args, **kwargs):
        connected.append(address)
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)

    with pytest.raises(NoAnswer, match="ConnectionRefusedError"):
        post("https://crm.example.com/hook", b"{}", {})

    assert connected == [(PUBLIC, 443)]


def test_the_second_address_is_tried_when_the_first_does_not_answer(names):
    names["crm"] = [["127.0.0.9", "127.0.0.1"]]

    with Receiver() as receiver:
        url = f"http://crm:{receiver.port}/hook"
        status = post(url, b"{}", {}, internal_hosts=["crm"])

    assert status == 200
    assert [call.headers["Host"] for call in receiver.calls] == [f"crm:{receiver.port}"]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"])
def test_no_proxy_of_the_environment_is_asked(monkeypatch, receiver, variable):
    with Receiver() as proxy:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv(variable.lower(), f"http://127.0.0.1:{proxy.port}")
        post(receiver.url, b"{}", {}, internal_hosts=["127.0.0.1"])

    assert (len(proxy.calls), len(receiver.calls)) == (0, 1)


# --- Certificates -----------------------------------------------------------------


@pytest.fixture
def certified(tmp_path, monkeypatch):
    """A receiver with a certificate for crm.example.com, by an authority that is trusted here."""
    certificate = make_certificate(tmp_path, "crm.example.com")
    trusted = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr(client, "_trusted", lambda: trusted)
    with Receiver() as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
        yield server


def make_certificate(folder, host):
    """The path of a file with a key and its own certificate for ``host``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = timezone.now()
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + built.public_bytes(Encoding.PEM))
    return path


def post_to(certified, host):
    return post(https_to(certified, host), b"{}", {}, internal_hosts=[host])


def test_the_certificate_must_be_for_the_name(names, certified):
    """The connection goes to a number, and the name is what is proven all the same."""
    names["crm.example.com"] = names["other.example.com"] = [["127.0.0.1"]]

    status = post_to(certified, "crm.example.com")
    with pytest.raises(NoAnswer, match="CERTIFICATE_VERIFY_FAILED"):
        post_to(certified, "other.example.com")

    assert status == 200
    assert len(certified.calls) == 1


def test_a_certificate_of_an_unknown_authority_is_refused(names, certified, monkeypatch):
    names["crm.example.com"] = [["127.0.0.1"]]
    strangers = ssl.create_default_context()
    monkeypatch.setattr(client, "_trusted", lambda: strangers)

    with pytest.raises(NoAnswer, match="CERTIFICATE_VERIFY_FAILED"):
        post_to(certified, "crm.example.com")

    assert certified.calls == []
