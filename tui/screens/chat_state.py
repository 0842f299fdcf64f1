"""What the chat is about right now: conversation, model, parameters; and the requests made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from services.chat_history import history
from services.ratios import prompt_size, weigh
from services.run_events import RunRequest
from services.tool_loop import after_results
from tui.screens.chat_words import Params

if TYPE_CHECKING:
    from services.attachments import Attached
    from services.budgets import Headroom
    from services.container import Services
    from services.estimate import Estimate
    from services.models import ModelView
    from store.conversations import ConversationRow, MessageRow

MOST_COUNTED = 1_000_000
"""Bytes of images with which a prompt is sent just to be counted."""


@dataclass(slots=True)
class ChatState:
    """One conversation, maybe not stored yet."""

    row: ConversationRow | None = None
    """None: nothing was sent yet."""
    messages: list[MessageRow] = field(default_factory=list)
    view: ModelView | None = None
    """None: there is no model to talk to."""
    params: Params = field(default_factory=Params)
    headroom: Headroom | None = None
    editing: int | None = None
    """The position of the user's turn that the prompt will replace; None: it adds a turn."""
    allowed: set[str] = field(default_factory=set)
    """Models whose unknown price the user has accepted since the program started."""
    attached: tuple[Attached, ...] = ()
    """Images that go with the prompt being written."""
    shown_images: set[str] = field(default_factory=set)
    """Models the user sends images to although they are not known to see any."""
    counted: tuple[object, int] | None = None
    """(`count_key` of a prompt, what the vendor counted of it); None: nothing is counted."""
    revision: int = 0
    """Goes up with every change of turns or parameters."""
    _weight: tuple[int, int] | None = None

    def kept(self) -> Sequence[MessageRow]:
        """The turns that stay before the prompt."""
        if self.editing is None:
            return self.messages
        return [row for row in self.messages if row.position < (self.editing or 0)]

    @property
    def blind(self) -> bool:
        """Images would go to a model that is not known to see any, and the user was not asked about it yet."""
        view = self.view
        if view is None or view.ref in self.shown_images or "vision" in (view.info.capabilities or ()):
            return False
        return bool(self.attached) or any(row.images for row in self.kept())

    def request(self, prompt: str | None, *, allow_unpriced: bool = False) -> RunRequest:
        """The request that sends this prompt (None: the turns as they are), without the images of stored turns."""
        assert self.view is not None
        ref, kept = self.view.ref, self.kept()
        choice = self.params.tool_choice
        if prompt is None and kept and kept[-1].role == "tool":
            choice = after_results(choice)
        return RunRequest(
            model=ref,
            messages=history(kept, prompt, attached=self.attached),
            system=self.params.system,
            max_tokens=self.params.max_tokens,
            temperature=self.params.temperature,
            reasoning_effort=self.params.effort,
            tools=tuple(tool.spec for tool in self.params.tools),
            tool_choice=choice,
            conversation_id=self.row.id if self.row is not None else None,
            caller="tui",
            allow_unpriced=allow_unpriced or ref in self.allowed,
            ask_unpriced=True,
            headless=False,
        )

    def changed(self) -> None:
        """Turns or parameters changed: the prompt's weight is counted anew."""
        self._weight = self.counted = None
        self.revision += 1

    def count_key(self, text: str) -> object:
        """What tells whether a count is of this prompt with these turns and parameters."""
        ref = self.view.ref if self.view is not None else None
        return ref, text, self.attached, self.editing, self.revision

    def countable(self, text: str) -> bool:
        """Whether the vendor may be asked to count this prompt: not twice, not where images stay in the store, and no
        large ones: they would be sent after every pause in typing."""
        if self.view is None or not text.strip() or any(row.images for row in self.kept()):
            return False
        if sum(len(image.data) for image in self.attached) > MOST_COUNTED:
            return False
        return self.counted is None or self.counted[0] != self.count_key(text)

    def estimate(self, services: Services, text: str, view: ModelView | None = None) -> Estimate | None:
        """What sending `text` would use and cost, cheap enough for every key press; None without a model."""
        view = view or self.view
        if view is None:
            return None
        if self._weight is None:
            specs = [tool.spec for tool in self.params.tools]
            size = prompt_size(history(self.kept()), self.params.system, specs)
            self._weight = (size.weight, size.messages)
        weight, count = self._weight
        counted = None
        if self.counted is not None and view is self.view and self.counted[0] == self.count_key(text):
            counted = self.counted[1]
        images = len(self.attached) + sum(len(row.images) for row in self.kept())
        return services.estimates.quick(
            view,
            weight + weigh(text),
            messages=count + 1,
            images=images,
            max_tokens=self.params.max_tokens,
            counted=counted,
        )
