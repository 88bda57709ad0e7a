"""A shell script sends over REST with curl."""

import json

from tests.clients.running import Account, eventually, run


def test_curl_with_the_same_idempotency_key_twice_sends_one_text(account: Account) -> None:
    printed = run(["sh", "shell/rest.sh", account.server.url, account.rest_key, "33612345678", "Once only"])
    assert (printed.code, printed.complaints) == (0, "")
    first, first_status, second, second_status = printed.lines
    assert (first_status, second_status) == ("201", "201")
    assert json.loads(first) == json.loads(second)
    assert [message["text"] for message in account.messages()] == ["Once only"]
    eventually(lambda: account.texts_on("33612345678").count("Once only") == 1)


def test_curl_is_told_in_problem_details_that_its_key_is_wrong(account: Account) -> None:
    printed = run(["sh", "shell/rest.sh", account.server.url, "nonsense", "33612345678", "Never"])
    problem, status, *_ = printed.lines
    assert status == "401"
    assert json.loads(problem)["code"] == "bad_credentials"
    assert account.messages() == []
