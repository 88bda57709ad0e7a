"""The rules that take torn blanks out of a program, tried on lines of our own."""

import pytest

from tests.seeds.extract import (
    PHP_8,
    PYTHON_3,
    SMS_OF_VMS,
    Sample,
    addresses,
    cut,
    mend_php,
    mend_strings,
    mend_vbscript,
    ported,
    repoint,
    text_sent,
)

DOCUMENT = """\
Un chapitre
Un chapitre
Du texte
Code en PHP |
<?php
echo ' un ' ;
?>
|
Code en PHP |
autre chose
|
"""


def test_a_sample_is_cut_after_the_last_section_of_that_title() -> None:
    sample = Sample("000_", "Un chapitre", "Code en PHP |", mend_php)
    assert cut(DOCUMENT, sample) == "<?php\necho ' un ' ;\n?>\n"
    with pytest.raises(ValueError, match="Un autre"):
        cut(DOCUMENT, Sample("000_", "Un autre", "Code en PHP |"))


@pytest.mark.parametrize(
    "torn, whole",
    [
        ("$ name = ' a b ' ;", "$name = 'a b' ;"),
        ("f($ a , ' ' )", "f($a , ' ' )"),
        (
            '$ u = " http : / / h . net / p . xml ? k = $ v & amp ; w = 1 " ;',
            '$u = "http://h.net/p.xml?k=$v&amp;w=1" ;',
        ),
        ("if ($ a ! = 1) { $ { $ b } + + ; }", "if ($a != 1) { ${ $b } ++ ; }"),
        ("array (' k ' = > 1 )", "array ('k' => 1 )"),
        ("< ul >< li > one< / li >< / ul >", "<ul><li> one</li></ul>"),
    ],
)
def test_php_gets_its_blanks_mended(torn: str, whole: str) -> None:
    assert mend_php(torn) == whole


def test_only_strings_are_touched_in_java_and_python() -> None:
    assert mend_strings('f (" &to= " + a . b, " x / y ")') == 'f ("&to=" + a . b, "x/y")'


def test_vbscript_gets_its_ampersands_back() -> None:
    assert mend_vbscript('u = " a= " & amp; b & amp;" &c= "') == 'u = "a=" & b & "&c="'


def test_old_syntax_is_replaced_word_by_word() -> None:
    today = "import urllib.parse, urllib.request\nprint(x.y ())\n"
    assert ported("import urllib\nprint x.y ()\n", PYTHON_3) == today
    assert ported("f($text { 0 } )", PHP_8) == "f($text[0] )"


def test_a_voice_message_becomes_a_text_message_and_nothing_else_changes() -> None:
    voice = "u/api/sendvms/xml <VMS><type>DD</type><voice_msg>a</voice_msg><sender>1</id></VMS>"
    text = "u/api/sendsms/xml <SMS><type>DD</type><text>a</text><sender>1</id></SMS>"
    assert ported(voice, SMS_OF_VMS) == text


def test_a_program_is_pointed_at_another_host_and_account() -> None:
    code = "a('http://sms.beta.orange-api.net/sms', 'a1234b56789'); b('myuser', 'mypass', '0790000000')"
    capitole = {"username": "shop", "password": "se"}
    assert repoint(code, "http://127.0.0.1:8", "key", "ann", "pw", capitole) == (
        "a('http://127.0.0.1:8/sms', 'key'); b('ann', 'pw', '0790000000')"
    )
    code = "u('https://vocal.capitolemobile.com/api'); '<username>xxxxxxxxxxx</username>'"
    assert repoint(code, "http://127.0.0.1:8", "key", "ann", "pw", capitole) == (
        "u('http://127.0.0.1:8/api'); '<username>shop</username>'"
    )
    assert text_sent(code + '"a text, longer than that one"') == "a text, longer than that one"


def test_addresses_get_their_blanks_mended_and_their_mail_address_back() -> None:
    host = "https://webservices.axialys.net"
    document = (
        f"L'URL : {host}/get/webappel/api.php?\n"
        f"Exemple : {host}/get/w ebappel/api.php?methode=a&[email\u00a0protected]&pass=a&b=1 ou\n"
        f"ou {host}/get/webappel/api.php?methode=c&email=a@a. com&pass=a ou {host}/x?methode=d\n"
    )
    assert addresses(document) == [
        "methode=a&email=a@a.com&pass=a&b=1",
        "methode=c&email=a@a.com&pass=a",
        "methode=d",
    ]
