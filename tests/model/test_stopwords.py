"""Which texts ask to stop, which to start again, and which only have the word in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.model.stopwords import read_stop

STOP = """
STOP|stop|Stop|sToP|  stop  |stop.|STOP!!!|Stop ?|«stop»|« STOP »|"stop"|'stop'|“Stop”|(stop)|*STOP*|-stop-
S.T.O.P.|s t o p|ＳＴＯＰ|STOP 🛑|st\u00adop|stop\u200b|\ufeffSTOP|stop\u00a0!
stopall|stoppall|STOP ALL|stop tout|stopp|Stop stop stop|STOP PUB|stop sms|STOP SMS svp|stop messages
stop les sms
Stop. Thank you|STOP SVP|stop please|Please stop|stop, merci|Stop merci beaucoup!|STOP s'il vous plaît
stop stp
stop now|Bonjour, stop|ok stop|Stop thanks|stop. Thank you very much.|STOP MAINTENANT|Stop the messages
stop texting me|Stop sending me messages please
arrêt|ARRET|Arrêt.|arre\u0302t|ARRÊT SVP|arrêter|Arrêtez|Arrêtez les messages
unsubscribe|UNSUBSCRIBE|Unsubscribe me please|unsub|I want to unsubscribe|quit|QUIT.|cancel
Cancel, please|end|END
revoke|opt out|opt-out|OptOut|remove me
désabonner|DESABONNER|désabonnement|me désabonner|Je veux me désabonner|Merci de me désabonner|Désabonnez-moi
désinscription|Désinscription svp|je souhaite me désinscrire|STOP au 36180|STOP 36180
"""

START = """
START|start|Start.|«start»|start please|START SVP|unstop|UNSTOP!|reprise|Reprise, merci|oui reprendre
Oui, reprendre|reprendre|resume|réabonner|start start|Hello, start
"""

NEITHER = """
don't stop me now|the bus stop is closed|stop by at 8|Stop by at 8.|non-stop|do not stop|never stop
stop it now or else
ne pas arrêter|arrêt de bus|arrêt maladie|L'arrêt du tram|stop sign|one stop shop|stop start|start stop
stopper
the end|end of story|weekend|cancel my order|quit smoking|I quit smoking|cancel the meeting please|pit stop
start now or later|let's start|la reprise des cours|starter|résumé du match|restart the machine
bonjour|merci|please
oui|yes|ok|stop me if you can|stop 8|пожалуйста не stop|стоп знак stop|STOPJEUX|stop jeux|un stop|?|...|🛑|«»
"""


def _texts(table: str) -> list[str]:
    return [text for line in table.strip().split("\n") for text in line.split("|")]


@pytest.mark.parametrize("text", [*_texts(STOP), "STOP\n", "\r\nstop\t"])
def test_a_request_to_stop_is_heard(text: str) -> None:
    assert read_stop(text) == "stop"


@pytest.mark.parametrize("text", _texts(START))
def test_a_request_to_start_again_is_heard(text: str) -> None:
    assert read_stop(text) == "start"


@pytest.mark.parametrize("text", [*_texts(NEITHER), "", " "])
def test_a_text_that_only_has_the_word_in_it_is_left_alone(text: str) -> None:
    assert read_stop(text) is None


@pytest.mark.parametrize(
    "text", ["STOP JEUX", "stop jeux!", "Stop: «Jeux», merci", "arrêt jeux", "cancel JEUX"]
)
def test_stop_with_a_keyword_of_the_number_is_a_stop(text: str) -> None:
    assert read_stop(text, ("météo", "Jeux")) == "stop"


def test_a_keyword_is_read_without_accents_and_punctuation() -> None:
    assert read_stop("STOP meteo-plage", ("Météo Plage",)) == "stop"


@pytest.mark.parametrize("text", ["STOP SPORT", "stop jeux sport", "jeux stop", "jeux", "start jeux"])
def test_other_words_beside_a_keyword_are_no_stop(text: str) -> None:
    assert read_stop(text, ("jeux",)) is None


def test_an_empty_keyword_changes_nothing() -> None:
    assert read_stop("stop by at 8", ("", "...")) is None


def test_a_text_longer_than_one_sms_is_not_read() -> None:
    assert read_stop("stop" + " please" * 22) == "stop"
    assert read_stop("stop" + " please" * 23) is None


@given(st.text(), st.lists(st.text()))
def test_any_text_and_any_keywords_can_be_read(text: str, keywords: list[str]) -> None:
    assert read_stop(text, keywords) in ("stop", "start", None)


@given(
    st.sampled_from(["stop", "arrêt", "quit", "désabonner"]), st.text("!?.,;:«»\"'()*-_ \t\n", max_size=20)
)
def test_punctuation_around_the_word_does_not_matter(word: str, around: str) -> None:
    assert read_stop(around + word.upper() + around) == "stop"
