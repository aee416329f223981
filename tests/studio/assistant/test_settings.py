"""Settings of the assistant: what each means, and that what cannot be meant is refused with its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.assistant.settings import HOURLY, NAMES, AssistantError, AssistantSettings, read
from kling.studio.settings import Settings, SettingsError, load

KEY = "sk-0123456789abcdef"
ON = {"STUDIO_LLM_URL": "https://llm.example.com/v1", "STUDIO_LLM_MODEL": "model-1"}


def loaded(tmp_path: Path, env: dict[str, str]) -> Settings:
    return load(env, tmp_path / "secrets.toml", root=tmp_path)


def read_these(**given: str) -> AssistantSettings | None:
    return read(dict.fromkeys(NAMES, "") | given)


def test_without_an_address_there_is_no_assistant(tmp_path):
    assert loaded(tmp_path, {}).assistant is None


def test_everything_can_be_set(tmp_path):
    found = loaded(tmp_path, ON | {"STUDIO_LLM_KEY": KEY, "STUDIO_LLM_HOURLY": "5"}).assistant
    assert found == AssistantSettings(url=ON["STUDIO_LLM_URL"], model="model-1", key=KEY, hourly=5)
    assert found.chat_url == "https://llm.example.com/v1/chat/completions"
    assert found.models_url == "https://llm.example.com/v1/models"
    assert found.host == "llm.example.com"
    assert read_these(**ON) == AssistantSettings(url=ON["STUDIO_LLM_URL"], model="model-1", hourly=HOURLY)


def test_it_can_stand_in_the_file_too(tmp_path):
    lines = "".join(f'{name} = "{value}"\n' for name, value in ON.items())
    (tmp_path / "secrets.toml").write_text(f"[kling]\n{lines}STUDIO_LLM_HOURLY = 7\n")
    found = loaded(tmp_path, {}).assistant
    assert found is not None
    assert found.hourly == 7


def test_the_key_stays_out_of_repr(tmp_path):
    assert KEY not in repr(loaded(tmp_path, ON | {"STUDIO_LLM_KEY": KEY}))


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://llm.example.com", "https://llm.example.com/v1"),
        ("https://LLM.example.com:443/v1/", "https://llm.example.com/v1"),
        ("https://llm.example.com/v1/chat/completions", "https://llm.example.com/v1"),
        ("https://llm.example.com/openai/v1/chat/completions/", "https://llm.example.com/openai/v1"),
        ("https://llm.example.com/chat/completions", "https://llm.example.com/v1"),
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://llm.corp:8000/v1", "http://llm.corp:8000/v1"),
    ],
)
def test_an_address_is_taken_as_people_copy_it(given, url):
    found = read_these(**ON | {"STUDIO_LLM_URL": given})
    assert found is not None
    assert found.url == url


@pytest.mark.parametrize("key", [f"Bearer {KEY}", f"Authorization: bearer {KEY}", KEY])
def test_a_key_is_taken_without_what_was_copied_along(key):
    found = read_these(**ON, STUDIO_LLM_KEY=key)
    assert found is not None
    assert found.key == KEY


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({"STUDIO_LLM_KEY": KEY}, "STUDIO_LLM_URL is not: give the address"),
        ({"STUDIO_LLM_MODEL": "m"}, "STUDIO_LLM_URL is not: give the address"),
        ({"STUDIO_LLM_HOURLY": "5"}, "STUDIO_LLM_URL is not: give the address"),
        ({"STUDIO_LLM_URL": ON["STUDIO_LLM_URL"]}, "STUDIO_LLM_MODEL is missing: name the model"),
        (ON | {"STUDIO_LLM_URL": "llm.example.com"}, "STUDIO_LLM_URL is not an address"),
        (ON | {"STUDIO_LLM_URL": "ftp://llm.example.com"}, "such as https://llm.example.com/v1"),
        (ON | {"STUDIO_LLM_URL": "https://user:pw@llm.example.com/v1"}, "a name or a password"),
        (ON | {"STUDIO_LLM_URL": "https://llm.example.com/v1?key=1"}, "a query or a fragment"),
        (ON | {"STUDIO_LLM_URL": "https://llm.example.com/../v1"}, "a path that cannot be meant"),
        (ON | {"STUDIO_LLM_URL": "https://a\\b/v1"}, "a backslash"),
        (ON | {"STUDIO_LLM_URL": "http://llm.corp/v1", "STUDIO_LLM_KEY": KEY}, "plain http"),
        (ON | {"STUDIO_LLM_KEY": "a key"}, "STUDIO_LLM_KEY holds a character that no key has"),
        (ON | {"STUDIO_LLM_KEY": "ключ"}, "STUDIO_LLM_KEY holds a character that no key has"),
        (ON | {"STUDIO_LLM_MODEL": "m" * 300}, "more than 200 characters"),
        (ON | {"STUDIO_LLM_HOURLY": "0"}, "a whole number from 1 to 10000"),
        (ON | {"STUDIO_LLM_HOURLY": "2.5"}, "a whole number from 1 to 10000"),
        (ON | {"STUDIO_LLM_HOURLY": "99999"}, "a whole number from 1 to 10000"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_remedy(tmp_path, given, remedy):
    with pytest.raises(SettingsError) as refused:
        loaded(tmp_path, given)
    assert remedy in str(refused.value)
    assert KEY not in str(refused.value)


def test_a_key_may_travel_by_plain_http_on_this_machine_only():
    assert read_these(**ON | {"STUDIO_LLM_URL": "http://localhost:11434/v1", "STUDIO_LLM_KEY": KEY})
    with pytest.raises(AssistantError, match="use https://"):
        read_these(**ON | {"STUDIO_LLM_URL": "http://10.0.0.7/v1", "STUDIO_LLM_KEY": KEY})


@given(st.fixed_dictionaries(dict.fromkeys(NAMES, st.text(max_size=40))))
def test_any_text_is_taken_or_refused_in_words(given):
    try:
        found, said = read(given), ""
    except AssistantError as error:
        found, said = None, str(error)
    assert not said or "STUDIO_LLM_" in said
    assert found is None or found.chat_url.isprintable()
