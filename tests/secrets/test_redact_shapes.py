"""What is masked by its shape alone: a secret that nobody has told the program of yet."""

from __future__ import annotations

import pytest

from catalog.redact import MASK, redact

A = "a1B2c3D4e5"
JWT = f"eyJ{A}{A}.eyJ{A}{A}.{A}"


@pytest.mark.parametrize(
    "secret",
    [
        f"sk-ant-admin01-{A}{A}{A}", f"sk-admin-{A}{A}{A}", f"sk-or-v1-{A}{A}", f"hf_{A}{A}{A}", f"AIza{A}{A}{A}-abcd",
        f"abC8Q~{A}{A}{A}.-~x", f"1.A{(A + '-_.') * 12}", f"0.A{A * 12}", f"{A * 5}zzJQQJ99{A}{A}A", f"ya29.{A}{A}.{A}", JWT,
    ],
)  # fmt: skip
def test_a_key_of_each_vendor_and_of_each_sign_in(secret: str) -> None:
    for text in (f"the key {secret} is wrong", f'{{"k":"{secret}"}}', f"({secret})", f"k={secret}\n"):
        assert redact(text) == text.replace(secret, MASK)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"client_id=x&client_secret={A}&scope=s", f"client_id=x&client_secret={MASK}&scope=s"),
        (f"grant_type=refresh_token&refresh_token={A}", f"grant_type=refresh_token&refresh_token={MASK}"),
        (f"https://cdn.example/b?X-Amz-Signature={A}&X-Amz-Date=2", f"https://cdn.example/b?X-Amz-Signature={MASK}&X-Amz-Date=2"),
        (f"https://cdn.example/b?Expires=1&Signature={A}", f"https://cdn.example/b?Expires=1&Signature={MASK}"),
    ],
)  # fmt: skip
def test_a_secret_of_a_form_or_a_signed_address(text: str, left: str) -> None:
    assert redact(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "meta-llama/Llama-3.3-70B-Instruct-Turbo-Free at https://router.huggingface.co/v1/chat/completions",
        "11111111-2222-3333-4444-555555555555 in contoso.onmicrosoft.com", "gpt-4o-2024-08-06 1.A 0.Azure 7Q~",
        "models--openai--whisper-tiny/snapshots/169d4a4341b33bc18d8881c4b69c2e104e1cc0af", "0." + "1" * 120,
    ],
)  # fmt: skip
def test_names_and_numbers_stay(text: str) -> None:
    assert redact(text) == text
