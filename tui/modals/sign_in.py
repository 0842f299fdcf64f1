"""The window in which a person signs in elsewhere: an address, a code, and how long it is good for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static
from textual.worker import Worker

from catalog.errors import SwitchroomError
from tui.modals.base import Modal

if TYPE_CHECKING:
    from pydantic import SecretStr

    from services.entra import SignIns, Started

Begin = Callable[[], Awaitable["Started"]]


class SignIn(Modal["SecretStr"]):
    """Ends in what is to be kept, or None when the user leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy the code", id="sign_in.copy", tooltip="Copy the code of a sign-in"),
        Binding("u", "address", "copy the address", id="sign_in.address", tooltip="Copy the address of a sign-in"),
        Binding("r", "again", "new code", id="sign_in.again", tooltip="Ask for another code, after the last one failed"),
    ]  # fmt: skip

    def __init__(self, name: str, begin: Begin, sign_ins: SignIns) -> None:
        super().__init__(f"Sign in to {name}")
        self.key_words = {"window.leave": "cancel"}
        self._begin, self._sign_ins = begin, sign_ins
        self._started: Started | None = None
        self._error: SwitchroomError | None = None
        self._work: Worker[None] | None = None
        self._shown = ""

    def compose_body(self) -> ComposeResult:
        yield Static("", markup=False, classes="detail report")

    def on_mount(self) -> None:
        super().on_mount()
        self.action_again()
        self.set_interval(1.0, self._draw)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        if action in ("copy", "address"):
            return self._started is not None
        return self._error is not None if action == "again" else True

    def action_again(self) -> None:
        self._error = None
        self._work = self.run_worker(self._run(), exclusive=True, exit_on_error=True)
        self._draw()

    async def action_copy(self) -> None:
        if self._started is not None:
            await self.app.copy(self._started.code.user_code)

    async def action_address(self) -> None:
        if self._started is not None:
            await self.app.copy(self._started.code.url)

    def action_leave(self) -> None:
        if self._work is not None:
            self._work.cancel()
        self.dismiss(None)

    async def _run(self) -> None:
        try:
            self._started = await self._begin()
            try:
                self._draw()
                tokens: SecretStr = await self._sign_ins.wait(self._started)
            finally:
                started, self._started = self._started, None
                await started.aclose()
        except SwitchroomError as error:
            self._error = error
            self._draw()
            return
        self.dismiss(tokens)

    def _draw(self) -> None:
        """What there is to see now; the same is not drawn again."""
        words = Content.assemble(*self._lines())
        if words.markup != self._shown:
            self._shown = words.markup
            self.query_one(".report", Static).update(words)
            self.refresh_bindings()

    def _lines(self) -> list[tuple[str, str] | str]:
        if self._error is not None:
            hint = f"\n  {self.app.with_keys('{r:sign_in.again} asks for a new code, {esc:window.leave} leaves.')}"
            return [(f"✕ {self._error.title}. {self._error.message}", "$error"), (hint, "$dim")]
        if self._started is None:
            return [("… asking for a code", "$dim")]
        code = self._started.code
        return [
            "Open      ", (code.url, "$accent"), "\n",
            "and type  ", (code.user_code, "bold $primary"), "\n\n",
            "in a browser, on whatever machine. This window goes on by itself when that is done.\n\n",
            (f"… waiting · the code is good for {_left(self._started.minutes)}", "$dim"),
        ]  # fmt: skip


def _left(minutes: float) -> str:
    """`14:05`"""
    seconds = round(minutes * 60)
    return f"{seconds // 60}:{seconds % 60:02d}"
