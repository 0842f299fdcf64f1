#!/usr/bin/env bash
# Installs what tests/real talks to: llama.cpp's own server, aimock, the official SDKs, a keyring daemon, sshd, tmux, GNU screen. Safe to run again.
set -euo pipefail
peers="${PEERS_DIR:-$HOME/.cache/switchroom-real}"
mkdir -p "$peers"
if [ ! -f "$peers/llama/.ready" ]; then
  python3 -m venv "$peers/llama"
  "$peers/llama/bin/python" -m pip install --quiet --disable-pip-version-check xllamacpp==2026.10.11549 gguf==0.19.0 numpy
  touch "$peers/llama/.ready"
fi
if [ ! -f "$peers/sdks/.ready" ]; then
  python3 -m venv "$peers/sdks"
  "$peers/sdks/bin/python" -m pip install --quiet --disable-pip-version-check \
    openai==3.52.0 anthropic==2.11.0 google-genai==3.4.0 ollama==0.6.3 huggingface_hub==2.4.0
  touch "$peers/sdks/.ready"
fi
if [ ! -f "$peers/aimock/.ready" ]; then
  command -v npm >/dev/null || { apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null; }
  mkdir -p "$peers/aimock"
  (cd "$peers/aimock" && npm init -y >/dev/null && npm install --silent --no-audit --no-fund @copilotkit/aimock@1.43.0)
  touch "$peers/aimock/.ready"
fi
missing=""
for command in sshd gnome-keyring-daemon dbus-run-session tmux screen ssh; do
  PATH="$PATH:/usr/sbin" command -v "$command" >/dev/null || missing="$missing $command"
done
if [ -n "$missing" ]; then
  echo "installing:$missing"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openssh-server openssh-client gnome-keyring dbus tmux screen >/dev/null
fi
echo "peers ready"
