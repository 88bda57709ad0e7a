"""Every golden conversation of every dialect, through the real pipeline."""

from pathlib import Path

import pytest

from tests.dialects.replay import Conversation, read, replay
from tests.platform import World

FILES = sorted(Path(__file__).parent.glob("*/*.conversation"))
CONVERSATIONS = [one for file in FILES for one in read(file)]


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda one: f"{one.file.parent.name}/{one.name}")
async def test_conversation(sandbox_world: World, conversation: Conversation) -> None:
    await replay(sandbox_world, conversation)


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda one: f"{one.file.parent.name}/{one.name}")
def test_a_conversation_names_its_source(conversation: Conversation) -> None:
    assert conversation.title != "?"
    assert conversation.source
    assert any(turn.request and turn.answer for turn in conversation.turns)
