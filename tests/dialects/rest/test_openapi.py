"""The OpenAPI document: valid, complete, and true to what is read and answered."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from chappe.dialects.rest.openapi import document
from chappe.dialects.rest.operations import OPERATIONS, REST
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName
from tests.dialects.rest.records import OUTCOMES, call, concrete, decoded

DOCUMENT: dict[str, Any] = json.loads(
    OPERATIONS["GET /v1/openapi.json"].encode(None, call("GET /v1/openapi.json")).body
)


def described(verb: str) -> dict[str, Any]:
    method, path = verb.split(" ")
    operation: dict[str, Any] = DOCUMENT["paths"][path][method.lower()]
    return operation


def complaints(value: Any, schema: dict[str, Any]) -> list[str]:
    """What is wrong with a value after a schema that refers into the document."""
    validator = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    return [error.message for error in validator.iter_errors(value)]


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Media types of the request and of the answers that are no problems."""
    yield from operation.get("requestBody", {}).get("content", {}).items()
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            yield from response.get("content", {}).items()


def test_the_document_is_valid_openapi() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_the_document_is_what_the_table_says() -> None:
    assert json.loads(json.dumps(document(OPERATIONS))) == DOCUMENT
    found = {f"{method.upper()} {path}" for path, item in DOCUMENT["paths"].items() for method in item}
    assert found == OPERATIONS.keys()


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [described(verb)["operationId"] for verb in OPERATIONS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("verb", OPERATIONS)
def test_every_operation_has_examples_that_its_own_schema_accepts(verb: str) -> None:
    operation = described(verb)
    for kind, content in contents(operation):
        if kind == "application/json":
            assert complaints(content["example"], content["schema"]) == []
        else:
            assert content == {}  # a file: any octets
    assert any(status.startswith("2") for status in operation["responses"])


def takes_json(verb: str) -> bool:
    return "application/json" in described(verb).get("requestBody", {}).get("content", {})


@pytest.mark.parametrize("verb", list(filter(takes_json, OPERATIONS)))
def test_every_request_example_is_read(verb: str) -> None:
    body = described(verb)["requestBody"]["content"]["application/json"]["example"]
    assert decoded(concrete(verb), json.dumps(body).encode())


@pytest.mark.parametrize("verb", OPERATIONS)
def test_every_answer_is_as_described(verb: str) -> None:
    answer = OPERATIONS[verb].encode(OUTCOMES[verb], call(concrete(verb)))
    response = described(verb)["responses"][str(answer.status)]
    if answer.body and answer.content_type != "application/json":
        # The files of a form have each its own type.
        assert response["content"] in ({answer.content_type: {}}, {"*/*": {}})
    elif answer.body:
        assert complaints(json.loads(answer.body), response["content"][answer.content_type]["schema"]) == []
    else:
        assert "content" not in response


def test_a_wrong_answer_would_be_noticed() -> None:
    schema = described("GET /v1/account")["responses"]["200"]["content"]["application/json"]["schema"]
    assert complaints({"balance": "1"}, schema) != []


@pytest.mark.parametrize("fault", Fault)
def test_every_problem_is_as_described(fault: Fault) -> None:
    problem = json.loads(REST.refuse(Refusal(fault, "what is wrong", "to[1]"), call("GET /v1/account")).body)
    schema = {"$ref": "#/components/schemas/Problem"}
    assert complaints(problem, schema) == []
    assert complaints(DOCUMENT["components"]["examples"][fault]["value"], schema) == []


@pytest.mark.parametrize("verb", OPERATIONS)
def test_only_the_document_needs_no_key(verb: str) -> None:
    anonymous = verb == "GET /v1/openapi.json"
    assert (described(verb).get("security") == []) == anonymous
    assert ("401" in described(verb)["responses"]) != anonymous


def test_the_key_is_a_bearer_token() -> None:
    assert DOCUMENT["security"] == [{"bearer": []}]
    assert DOCUMENT["components"]["securitySchemes"] == {"bearer": {"type": "http", "scheme": "bearer"}}


def test_what_costs_credits_takes_an_idempotency_key() -> None:
    with_key = [
        verb
        for verb in OPERATIONS
        if "Idempotency-Key" in [one["name"] for one in described(verb).get("parameters", [])]
    ]
    nouns = ("messages", "calls", "conferences", "opening-hours", "callbacks", "announcements")
    assert with_key == [f"POST /v1/{noun}" for noun in nouns]


def test_a_list_has_its_cursor_and_filters() -> None:
    parameters = {one["name"]: one["schema"] for one in described("GET /v1/messages")["parameters"]}
    assert list(parameters) == [
        *(
            "limit",
            "cursor",
            "direction",
            "state",
            "to",
            "from",
            "reference",
            "dialect",
            "text",
            "since",
            "until",
        )
    ]
    assert parameters["limit"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    assert parameters["state"] == {"$ref": "#/components/schemas/MessageState"}
    assert parameters["since"] == {"type": "string", "format": "date-time"}


def test_every_event_is_a_webhook() -> None:
    assert DOCUMENT["webhooks"].keys() == set(EventName)
    for webhook in DOCUMENT["webhooks"].values():
        content = webhook["post"]["requestBody"]["content"]["application/json"]
        assert complaints(content["example"], content["schema"]) == []
