"""What is pressed is sent until it is answered: the script alone, without a page of the studio."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from pages._ui.scripts.script import ELEMENTS, SENDING, script_of

BEGIN = """
  window.told = [];
  const words = ({ acts }) => acts.map(({ what }) => what).join();
  window.carry = (name) => sender.mount(name, (_, said) => told.push([name, words(said)]));
  window.answer = (number) => { mark.dataset.did = `${tab} ${number}`; };
  let tab = "";
  const mark = document.body.appendChild(make("i"));
  sender.mount("page", (_, said) => { tab = said.tab; });
  sender.send("page", "begin", ["a"]);
  answer(1);
"""


def test_what_is_pressed_is_sent_until_it_is_answered_and_else_it_is_said(new_page: Callable[[str], Page]):
    page = new_page("about:blank")
    page.clock.install()
    page.evaluate(f"() => {{ {script_of(ELEMENTS, SENDING)} {BEGIN} }}")

    def sent() -> list[list[str]]:
        found: list[list[str]] = page.evaluate("() => told.splice(0)")
        return found

    def send(name: str, what: str) -> None:
        page.evaluate("([name, what]) => __studioSender.send(name, what, ['a'])", [name, what])

    page.evaluate("() => { carry('viewer'); window.leave = carry('page'); }")
    send("page", "star")
    send("page", "hide")
    assert sent() == [["page", "star"], ["page", "star,hide"]]
    page.evaluate("() => answer(2)")
    page.clock.run_for(2000)
    assert sent() == [["page", "hide"]]
    page.evaluate("() => leave()")  # another page is opened
    page.clock.run_for(2500)
    assert sent() == [["viewer", "hide"]]
    page.evaluate("() => answer(3)")
    page.clock.run_for(60_000)
    assert sent() == []
    note = page.get_by_role("alert")
    expect(note).to_have_count(0)
    page.evaluate("() => document.addEventListener('studio:lost', () => told.push('lost'))")
    send("viewer", "rate")
    page.clock.run_for(32_000)
    assert sent() == [*[["viewer", "rate"]] * 6, "lost"]
    expect(note).to_have_text("Not saved: the studio does not answer. Press again in a moment.")
    page.clock.run_for(10_000)
    expect(note).to_be_hidden()
