"""Text that the server does not keep: the page says so while somebody types, and stops saying it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server
from tests.e2e.test_compose import prompt


def test_a_refused_text_is_told_while_typing_and_kept_once_it_is_short_enough(
    shared_server: Server, open_page: Callable[..., Page]
):
    page = open_page(shared_server.url)
    note = page.locator(".studio-unkept")
    prompt(page).fill("x" * 70_000)
    expect(note).to_contain_text("too long to be kept on the server")
    with page.expect_response(lambda answer: "/drafts/" in answer.url) as kept:
        prompt(page).fill("A short fox")
    assert kept.value.status == 204
    expect(note).to_be_hidden()
