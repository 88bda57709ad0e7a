"""The same SMS as a curl line in the words of each dialect, to be pasted into a terminal."""

import json
from dataclasses import dataclass
from shlex import quote
from xml.sax.saxutils import escape


@dataclass(frozen=True, slots=True)
class Sample:
    """An SMS to show: `to` in E.164 without plus. `keys` replace the shell variables `$CHAPPE_KEY`,
    `$ORANGE_ID`, `$NETOXYGEN_USER` and `$NETOXYGEN_PASS` where the real ones may be shown."""

    base_url: str
    to: str
    text: str
    sender: str = ""
    flash: bool = False
    advertising: bool = False
    keys: tuple[tuple[str, str], ...] = ()


def lines(sample: Sample) -> tuple[tuple[str, str], ...]:
    """The name of each dialect that can say it, and its curl line."""
    made = [("rest", rest(sample))]
    if not sample.advertising:  # which these two have no word for
        made += [("orange", orange(sample)), ("netoxygen", netoxygen(sample))]
    return tuple((name, _with_keys(text, sample.keys)) for name, text in made)


def rest(sample: Sample) -> str:
    body: dict[str, object] = {"to": [f"+{sample.to}"], "text": sample.text}
    if sample.sender:
        body["from"] = sample.sender
    if sample.flash:
        body["flash"] = True
    if sample.advertising:
        body["purpose"] = "marketing"
    return (
        f"curl {sample.base_url}/v1/messages \\\n"
        '  -H "Authorization: Bearer $CHAPPE_KEY" \\\n'
        f"  --json {quote(json.dumps(body, ensure_ascii=False))}"
    )


def orange(sample: Sample) -> str:
    sender = f" -d from={quote(sample.sender)}" if sample.sender else ""
    return (
        f"curl -G {sample.base_url}/sms/sendSMS.xml \\\n"
        f'  -d "id=$ORANGE_ID"{sender} -d to={sample.to} \\\n'
        f"  --data-urlencode {quote('content=' + sample.text)}"
    )


def netoxygen(sample: Sample) -> str:
    def value(text: str) -> str:
        return f"<param><value><string>{text}</string></value></param>"

    given = [sample.to, sample.text, sample.sender, "", "flash" if sample.flash else "text"]
    kept = given if sample.flash else given[:3] if sample.sender else given[:2]
    # The here-document is expanded by the shell, for the two variables; the text must not be.
    safe = [escape(text).replace("\\", "\\\\").replace("$", "\\$").replace("`", "\\`") for text in kept]
    return (
        f"curl {sample.base_url}/api2/ -H 'Content-Type: text/xml' --data-binary @- <<XML\n"
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<methodCall><methodName>send_message</methodName><params>\n"
        f"{value('$NETOXYGEN_USER')}{value('$NETOXYGEN_PASS')}\n"
        f"{''.join(value(text) for text in safe)}\n"
        "</params></methodCall>\nXML"
    )


def _with_keys(text: str, keys: tuple[tuple[str, str], ...]) -> str:
    for variable, secret in keys:
        text = text.replace(f"${variable}", secret)
    return text
