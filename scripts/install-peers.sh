#!/usr/bin/env bash
# Installs the programs that some tests connect to. Without them `npm test` skips those tests, with the reason.
# System programs come from Debian's or Ubuntu's packages, as root or through sudo; other JavaScript runtimes come
# from npm into the folder .peers/ (730 MB), as the current user. Installs only missing programs, and needs no network
# if nothing is missing. Starts no service.
#
#   scripts/install-peers.sh                    everything
#   scripts/install-peers.sh python runtimes    these groups only
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The versions of the runtimes are in checks/interop/runtimes/package.json.
install_runtimes() {
  local manifest=checks/interop/runtimes/package.json
  if cmp -s "$manifest" .peers/package.json && [[ -e .peers/complete ]]; then
    echo "Nothing to install: the runtimes are in .peers/."
    return
  fi
  echo "Installing the runtimes of $manifest into .peers/ …"
  rm -rf .peers
  mkdir .peers
  cp "$manifest" .peers/
  # Their install scripts download the build for this machine, also from npm.
  (cd .peers && npm install --prefer-offline --no-audit --no-fund --no-package-lock --ignore-scripts=false)
  touch .peers/complete
}

declare -A groups=(
  [python]="python3 python3-websockets python3-trio-websocket python3-wsproto"
  [proxies]="nginx haproxy apache2-bin caddy"
  [redis]="redis-server"
  [nats]="nats-server"
  [libwebsockets]="libwebsockets-test-server"
  [browser]="chromium"
  [network]="iproute2"
  [terminal]="tmux zsh fish"
  [compiler]="gcc zlib1g-dev"
)

if [[ $# -eq 0 ]]; then set -- "${!groups[@]}" runtimes; fi
wanted=()
for group in "$@"; do
  if [[ $group == runtimes ]]; then
    install_runtimes
    continue
  fi
  # On Ubuntu the package only installs a snap, so use a browser that is already installed.
  if [[ $group == browser ]] && command -v chromium chromium-browser google-chrome >/dev/null; then continue; fi
  if [[ -z "${groups[$group]:-}" ]]; then
    echo "Unknown group \"$group\". There are: ${!groups[*]} runtimes" >&2
    exit 2
  fi
  read -r -a packages <<<"${groups[$group]}"
  wanted+=("${packages[@]}")
done

if [[ ${#wanted[@]} -eq 0 ]]; then exit 0; fi

if ! command -v apt-get >/dev/null; then
  echo "This script knows Debian and Ubuntu only. Please install what stands for: ${wanted[*]}" >&2
  exit 1
fi

is_installed() { [[ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]; }

missing=()
for package in "${wanted[@]}"; do
  is_installed "$package" || missing+=("$package")
done
if [[ ${#missing[@]} -eq 0 ]]; then
  echo "Nothing to install: ${wanted[*]} are there."
  exit 0
fi

as_root=()
if [[ $EUID -ne 0 ]]; then as_root=(sudo); fi

# Debian starts the daemons that it installs unless policy-rc.d says 101 (forbidden). The tests start their own.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
fi

echo "Installing ${missing[*]} …"
apt_get() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 -o DPkg::Lock::Timeout=120 "$@"; }
apt_get update
apt_get install --yes --no-install-recommends "${missing[@]}"
