"""Images that go with the prompt: attached by path or by a paste, shown above it, taken away again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from catalog.errors import UsageError
from catalog.plaintext import one_line
from services.attachments import MOST_IMAGES, pasted_paths, read_image, typed_path
from tui.formatting import count, cut_middle, width
from tui.screens.chat_runs import ChatRuns
from tui.screens.chat_turns import image_facts
from tui.widgets.path_suggester import PathSuggester
from tui.widgets.prompt import PromptBox

if TYPE_CHECKING:
    from pathlib import Path

    from services.attachments import Attached


class ChatAttach(ChatRuns):
    """The part of the chat screen that holds the images of the prompt."""

    def attach(self, images: Sequence[Attached], *, instead: bool = False) -> None:
        before = () if instead else self.state.attached
        self.state.attached = (*before, *images)[:MOST_IMAGES]
        if len(before) + len(images) > MOST_IMAGES:
            self.app.tell(f"{MOST_IMAGES} images go with one prompt; the others were left out.", tone="warn")
        self.show_attached()
        self.show_estimate()
        self.show_keys()

    def show_attached(self) -> None:
        """The line above the prompt: each image with its name, type and size."""
        line = self.query_one("#chat-attached", Static)
        line.set_class(bool(self.state.attached), "-open")
        if self.state.attached:
            line.update(Content(attached_words(self.state.attached, max(20, self.size.width - 4))))

    def action_attach(self) -> None:
        if self.ready:
            self.app.do(ask_images(self))

    def on_prompt_box_pasted(self, event: PromptBox.Pasted) -> None:
        event.stop()
        self.app.do(offer_pasted(self, event.text))


def attached_words(images: Sequence[Attached], cells: int) -> str:
    """`▪ cat.png PNG · 812 KB   ▪ …`, cut to the line; names lose their middle before an image is left out."""
    way = "   F5 changes"
    for longest in (60, 24, 12):
        parts = [
            f"▪ {cut_middle(one_line(image.name, 120), longest)} {image_facts(image.media_type, len(image.data))}"
            for image in images
        ]
        words = "   ".join(parts)
        if width(words) + width(way) <= cells:
            return words + way
    total = sum(len(image.data) for image in images)
    facts = image_facts("", total).removeprefix(" · ")
    return f"▪ {count(len(images), 'image')} · {facts}{way}"


async def ask_images(chat: ChatAttach) -> None:
    """Name an image by its path, or take one away by emptying its line."""
    from tui.modals.form import Field, Form

    state = chat.state
    held = [
        Field(f"image {number}", f"image {number}", one_line(image.name, 120), "taken away")
        for number, image in enumerate(state.attached, 1)
    ]
    endings = (".png", ".jpg", ".jpeg", ".gif", ".webp")
    new = Field("new", "path", "", "~/picture.png; PNG, JPEG, GIF or WebP", _check, PathSuggester(endings))
    detail = "Goes with the next prompt. The right arrow completes a path."
    if held:
        detail += " An emptied line takes its image away (tab goes there)."
    values = await chat.app.push_screen_wait(Form("Attach an image", (new, *held), detail, keep="attach"))
    if values is None or chat.state is not state:
        return
    kept = [image for field, image in zip(held, state.attached, strict=True) if values[field.key]]
    found: list[Attached] = []
    if values["new"]:
        found = await _read(chat, [typed_path(values["new"])])
    chat.attach((*kept, *found), instead=True)
    chat.set_focus(chat.prompt)


def _check(text: str) -> str | None:
    """What is wrong with the path of an image; None when it is good, or there is none."""
    if not text.strip():
        return None
    try:
        read_image(typed_path(text), whole=False)
    except UsageError as error:
        return error.message
    return None


async def _read(chat: ChatRuns, paths: Sequence[Path]) -> list[Attached]:
    """The images of these files; of those that cannot be read it is said why."""
    found = []
    for path in paths:
        try:
            found.append(await asyncio.to_thread(read_image, path))
        except UsageError as error:
            chat.app.tell(error.message, tone="bad")
    return found


async def offer_pasted(chat: ChatAttach, text: str) -> None:
    """A pasted or dragged path of an image: ask whether the image is meant; else it is text."""
    from tui.modals.confirm import Confirm

    paths = await asyncio.to_thread(pasted_paths, text)
    if paths:
        names = ", ".join(one_line(path.name, 60) for path in paths[:4]) + (" …" if len(paths) > 4 else "")
        question = f"Attach {names}?" if len(paths) == 1 else f"Attach {len(paths)} images?"
        detail = f"{names}: n pastes the path as text." if len(paths) > 1 else "n pastes the path as text."
        if await chat.app.push_screen_wait(Confirm(question, detail, yes="attach", no="paste as text")):
            chat.attach(await _read(chat, paths))
            return
    chat.prompt.put(text)
