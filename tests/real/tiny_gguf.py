"""Makes a tiny llama model that says one fixed thing, so that a real llama.cpp server can be tested without a download.

Run with the interpreter that has `gguf` and `numpy`: tiny_gguf.py OUT.gguf script|think|tool|long

Every token is embedded as its own one-hot vector, attention and feed-forward weights are zero, so the vector passes
through unchanged; the output matrix then holds a large weight where token j may follow token i.
"""

import sys

import numpy as np
from gguf import GGUFWriter, LlamaFileType, TokenType

CHAINS = {
    "script": [
        "▁Hello", "▁from", "▁a", "▁tiny", "▁model", ".", "▁Zażółć", "▁gęślą", "▁日本語",
        "<0xF0>", "<0x9F>", "<0x99>", "<0x82>",  # one emoji in four byte tokens
        "▁`code`", "▁**bold**", "▁[red]markup[/red]", "▁\x1b[31mESC", "▁Goodbye", "!",
    ],
    "think": ["<think>", "\nfirst", "▁I", "▁ponder", "</think>", "\n\nThe", "▁answer", ":", "▁42", "!!"],
    "tool": ["<tool_call>", '\n{"name":', '▁"get_weather",', '▁"arguments":', '▁{"city":', '▁"Par', 'is"}', "}\n", "</tool_call>"],
    "long": ["▁tick", "▁tock", "▁ding", "▁dong"],
}  # fmt: skip
CONTROL = ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
MARKERS = ["<think>", "</think>", "<tool_call>", "</tool_call>"]
LETTERS = "▁abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789{}[]\":,._-'?!/\\"

TEMPLATE = r"""{{- bos_token }}
{%- if tools %}{{- '<|system|>Call a tool as <tool_call>\n{"name": ..., "arguments": ...}\n</tool_call>:' }}
{%- for tool in tools %}{{- '\n' + (tool | tojson) }}{%- endfor %}{{- '<|end|>' }}{%- endif %}
{%- for m in messages %}
{%- if m.role == 'assistant' %}{{- '<|assistant|>' }}
{%- if m.reasoning_content %}{{- '<think>\n' + m.reasoning_content + '\n</think>\n\n' }}{%- endif %}
{%- if m.content %}{{- m.content }}{%- endif %}
{%- for call in (m.tool_calls or []) %}{%- set f = call.function or call %}
{{- '<tool_call>\n{"name": "' + f.name + '", "arguments": ' }}{{- (f.arguments if f.arguments is string else (f.arguments | tojson)) }}{{- '}\n</tool_call>' }}
{%- endfor %}{{- '<|end|>' }}
{%- elif m.role == 'tool' %}{{- '<|user|><tool_response>\n' + m.content + '\n</tool_response><|end|>' }}
{%- else %}{{- '<|' + m.role + '|>' + m.content + '<|end|>' }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}"""


def vocabulary():
    """(token, type, score) in order, each token once."""
    tokens = {}

    def add(token, kind, score=0.0):
        tokens.setdefault(token, (int(kind), float(score)))

    add("<unk>", TokenType.UNKNOWN)
    add("<s>", TokenType.CONTROL)
    add("</s>", TokenType.CONTROL)
    for byte in range(256):
        add(f"<0x{byte:02X}>", TokenType.BYTE)
    for token in CONTROL:
        add(token, TokenType.CONTROL)
    for token in MARKERS:
        add(token, TokenType.USER_DEFINED)
    for chain in CHAINS.values():
        for token in chain:
            add(token, TokenType.NORMAL, -1.0)
    for place, letter in enumerate(LETTERS):
        add(letter, TokenType.NORMAL, -10.0 - place / 100)
    return tokens


def main(out, mode):
    tokens = vocabulary()
    index = {token: place for place, token in enumerate(tokens)}
    size = len(tokens)
    heads, width = 4, -(-size // 32) * 32
    hidden = 64
    writer = GGUFWriter(out, "llama")
    writer.add_name(f"tiny-{mode}")
    writer.add_context_length(32768)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(hidden)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_rope_dimension_count(width // heads)
    writer.add_vocab_size(size)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([token.encode() for token in tokens])
    writer.add_token_types([kind for kind, _ in tokens.values()])
    writer.add_token_scores([score for _, score in tokens.values()])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_eot_token_id(index["<|end|>"])
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)

    embedding = np.zeros((size, width), np.float32)
    embedding[np.arange(size), np.arange(size)] = 1.0
    output = np.zeros((size, width), np.float32)
    chain = CHAINS[mode]
    last = chain[0] if mode == "long" else "<|end|>"
    for before, after in zip(["<|assistant|>", *chain], [*chain, last], strict=True):
        output[index[after], index[before]] = 1.5
    for place in range(size):  # whatever is off the chain goes back to its start
        if not output[:, place].any():
            output[index[chain[0]], place] = 0.8

    def zeros(*shape):
        return np.zeros(shape, np.float32)

    ones = np.ones(width, np.float32)
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output.weight", output)
    writer.add_tensor("output_norm.weight", ones)
    writer.add_tensor("blk.0.attn_norm.weight", ones)
    writer.add_tensor("blk.0.ffn_norm.weight", ones)
    for part in ("q", "k", "v", "output"):
        writer.add_tensor(f"blk.0.attn_{part}.weight", zeros(width, width))
    writer.add_tensor("blk.0.ffn_gate.weight", zeros(hidden, width))
    writer.add_tensor("blk.0.ffn_up.weight", zeros(hidden, width))
    writer.add_tensor("blk.0.ffn_down.weight", zeros(width, hidden))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
