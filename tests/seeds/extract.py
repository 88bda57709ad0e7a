"""Takes the sample programs out of the providers' published documents, where those stand beside the checkout.

The documents are text that a program once took out of web pages, and it put blanks where a page had coloured
words: inside `$ name`, round the text of a string, in `< html >`, in `& amp;`. Those blanks are taken out
again, by the rules below and by nothing else; every other byte of a sample stays. Then the host is changed,
and the key, user and password of the sample become those of an account. Telephone numbers stay.

Samples in languages that changed under them get a list of replacements of their own: `PYTHON_3`, `PHP_8`.
CapitoleMobile's document has a sample for voice messages only; `SMS_OF_VMS` makes one for text messages of
it. Axialys' and Keyyo's documents hold no program; `addresses` are those that Axialys' shows as examples.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ORANGE = "000_"
CAPITOLE = "001_"
NETOXYGEN = "002_"
AXIALYS = "003_"
KEYYO = "004_"

# The lines before and after a program; an empty one separates it from what comes before.
FENCES: Mapping[str, tuple[str, str]] = {
    ORANGE: ("", "|"),
    CAPITOLE: (
        "Important : L'encodage supporté est : ISO-8859-15 (Europe de l'Ouest)",
        "Réponse à la requête HTTP POST",
    ),
    NETOXYGEN: ("```", "```"),
}

# Places that moved and words that became functions between Python 2 and Python 3.
PYTHON_3 = (
    (r"^import urllib$", "import urllib.parse, urllib.request"),
    (r"\burllib\.urlencode\b", "urllib.parse.urlencode"),
    (r"\burllib\.urlopen\b", "urllib.request.urlopen"),
    (r"^print (.*)$", r"print(\1)"),
)
# Syntax that PHP 8 has no more: braces to take one character of a string.
PHP_8 = ((r"(\$\w+) \{ (\d+) \}", r"\1[\2]"),)
# The conference sample was never run: it loses its first address and the conference's id, names its options
# by their values, and is no PHP in its loop. This is what its author meant, and numbers that can be called.
CONFERENCE_AS_MEANT = (
    (r"33([123])XXXXXXXX", r"3363998000\1"),
    (r"^\$adresse( = \"[^\"]*createCall)", r"$adresse_call\1"),
    (r"\? id =", "?id="),
    (r"& amp ; \$?(\w+) =", r"&\1="),
    (
        r"^\$while \(\$from = each\(explode\(\",\" \$caller_numbers \)\)",
        'foreach (explode(",", $call_numbers) as $from)',
    ),
    (
        r"\(\$adresse(.*) \. \"&from=\" \. \$from \. \"&to=\" \. \$to",
        r'($adresse_call\1 . "&conference_id=" . $id_conf . "&from=" . trim($from)',
    ),
    (r"^\} else \{", "}\n} else {"),
    (r"^\}\n\}\n\?>", "}\n?>"),
)
# What an SMS has instead (dialects.md 2f): its address, its root, and a text for the recording's name.
SMS_OF_VMS = (
    ("/api/sendvms/xml", "/api/sendsms/xml"),
    (r"<(/?)VMS>", r"<\1SMS>"),
    (r"<(/?)voice_msg>", r"<\1text>"),
)


def seeds_folder() -> Path | None:
    """CHAPPE_SEEDS, else `shared/seeds` beside the checkout; None where neither holds the documents."""
    beside = Path(__file__).parents[3] / "shared" / "seeds"
    folder = Path(os.environ.get("CHAPPE_SEEDS") or beside)
    return folder if all(list(folder.glob(f"{name}*.txt")) for name in (*FENCES, AXIALYS, KEYYO)) else None


def in_strings(code: str, mend: Callable[[str], str]) -> str:
    """`code` with `mend` applied to what stands between the quotes of each string of one line."""
    return re.sub(r"(['\"])([^'\"\n]*)\1", lambda found: found[1] + mend(found[2]) + found[1], code)


def without_padding(content: str) -> str:
    """A string's text without the blank at either end; an address or a path also without those inside.

    A string of one blank is one blank.
    """
    if re.match(r" ?http ?:", content) or re.fullmatch(r" ?\w+( / \w+)+ ?", content):
        return content.replace(" ", "")
    if len(content) > 2 and content[0] == content[-1] == " ":
        return content[1:-1]
    return content


def mend_strings(code: str) -> str:
    return in_strings(code, without_padding)


def mend_php(code: str) -> str:
    """PHP, also inside HTML: dollar signs, strings, operators, tags."""
    code = re.sub(r"\$ (?=[\w{])", "$", code)
    code = mend_strings(code)
    for torn, whole in (("= >", "=>"), ("! =", "!="), ("+ +", "++")):
        code = code.replace(torn, whole)
    return re.sub(r"< (/ )?(\w+) ?>", lambda tag: f"<{'/' if tag[1] else ''}{tag[2]}>", code)


def mend_vbscript(code: str) -> str:
    return mend_strings(re.sub(r"& amp; ?", "& ", code))


def unchanged(code: str) -> str:
    return code


@dataclass(frozen=True, slots=True)
class Sample:
    """Where a program stands: its document, the last line equal to `section`, then the first line equal to
    `title` (empty: the section itself), then what is between the fences. `port` brings it to the language of
    today.
    """

    document: str
    section: str
    title: str = ""
    mend: Callable[[str], str] = unchanged
    port: Sequence[tuple[str, str]] = ()


SMS = "III-A. Envoyer un SMS"
SAMPLES: Mapping[str, Sample] = {
    "sms.php": Sample(ORANGE, SMS, "Code en PHP |", mend_php),
    "SendSMS.java": Sample(ORANGE, SMS, "Code en Java |", mend_strings),
    "sms.cs": Sample(ORANGE, SMS, "Code en C# |", mend_strings),
    "sms.py": Sample(ORANGE, SMS, "Code en Python |", mend_strings, PYTHON_3),
    "sms.vbs": Sample(ORANGE, SMS, "Code en VbScript, courtoisie de Bbil |", mend_vbscript),
    "receive.php": Sample(ORANGE, "III-B. Recevoir un SMS", "Code en PHP |", mend_php, PHP_8),
    "results.php": Sample(ORANGE, "III-B. Recevoir un SMS", "Code en PHP/HTML |", mend_php),
    "conference.php": Sample(
        ORANGE, "Création de la conférence", "Code en PHP |", mend_php, CONFERENCE_AS_MEANT
    ),
    "vms.php": Sample(CAPITOLE, "Exemple d'intégration PHP"),
    "vms_as_sms.php": Sample(CAPITOLE, "Exemple d'intégration PHP", port=SMS_OF_VMS),
    "pear.php": Sample(NETOXYGEN, "Envoi de SMS depuis PHP"),
    "short.pl": Sample(NETOXYGEN, "Programme simple d'envoi de SMS en Perl"),
    "full.pl": Sample(
        NETOXYGEN, "Programme Perl plus complet (gère correctement les accents et les erreurs)"
    ),
}


def cut(document: str, sample: Sample) -> str:
    """The lines of one sample as they stand in the document; ValueError where an anchor is missing."""
    lines = document.splitlines()
    at = max((number for number, line in enumerate(lines) if line == sample.section), default=None)
    if at is None:
        raise ValueError(f"no section {sample.section!r}")
    opening, closing = FENCES[sample.document]
    for anchor in filter(None, (sample.title, opening)):
        at = lines.index(anchor, at)
    return "\n".join(lines[at + 1 : lines.index(closing, at + 1)]) + "\n"


def ported(code: str, replacements: Sequence[tuple[str, str]]) -> str:
    for pattern, replacement in replacements:
        code = re.sub(pattern, replacement, code, flags=re.MULTILINE)
    return code


def read_document(folder: Path, name: str) -> str:
    [path] = folder.glob(f"{name}*.txt")
    return path.read_text(encoding="utf-8")


def read_sample(folder: Path, name: str) -> str:
    """The program of that file name, blanks repaired, in today's language."""
    sample = SAMPLES[name]
    return ported(sample.mend(cut(read_document(folder, sample.document), sample)), sample.port)


def repoint(
    code: str, url: str, orange_id: str, user: str, password: str, capitole: Mapping[str, str]
) -> str:
    """The program with our host for the provider's, and an account's credentials for the placeholders."""
    host, port = url.removeprefix("http://").split(":")
    code = re.sub(r"http://\w+\.(?:alpha|beta)\.orange-api\.net", url, code)
    code = code.replace("http://sms.netoxygen.ch", url)
    code = code.replace('"sms.netoxygen.ch"', f'"{host}", {port}')
    code = code.replace("https://vocal.capitolemobile.com", url)
    for name in ("username", "password"):
        code = code.replace(f"<{name}>xxxxxxxxxxx</{name}>", f"<{name}>{capitole[name]}</{name}>")
    code = re.sub(r"\b(?:a1234b56789|466b6e288fc)\b", orange_id, code)
    code = re.sub(r"(['\"])(?:user33|myuser)\1", rf"\g<1>{user}\1", code)
    return re.sub(r"(['\"])mypass\1", rf"\g<1>{password}\1", code)


def addresses(document: str) -> list[str]:
    """The example addresses of Axialys' document in order, from the method on.

    A blank inside, which the page broke its lines at, is taken out; where the page hides the mail address
    from robots it is put back as dialects.md 4c tells; one address is cut off there and has no end.
    """
    found = []
    for line in document.splitlines():
        for after in line.split("https://webservices.axialys.net/")[1:]:
            address = re.sub(r"\[email\sprotected\]", "email=a@a.com", after)
            address = re.sub(r"\s|\bou\s*$", "", address)
            if "methode=" in address:
                found.append(address.partition("?")[2])
    return found


def text_sent(code: str) -> str:
    """The text message that a sample sends, read out of it: its longest constant of several words."""
    constants = [str(content) for _, content in re.findall(r"(['\"])([^'\"\n]*)\1", code)]
    return max((text for text in constants if " " in text), key=len)
