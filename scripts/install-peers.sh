#!/usr/bin/env bash
# Installs, from Debian's or Ubuntu's packages, the programs that some tests talk to. Without them `npm test` skips
# those tests and says so. As root or through sudo; installs only what is missing; starts no service.
#
#   scripts/install-peers.sh                    everything
#   scripts/install-peers.sh python proxies     these groups only
set -euo pipefail

declare -A groups=(
  [python]="python3 python3-websockets python3-trio-websocket python3-wsproto"
  [proxies]="nginx haproxy"
  [redis]="redis-server"
  [browser]="chromium"
  [network]="iproute2"
  [compiler]="gcc zlib1g-dev"
)

if [[ $# -eq 0 ]]; then set -- "${!groups[@]}"; fi
wanted=()
for group in "$@"; do
  if [[ -z "${groups[$group]:-}" ]]; then
    echo "Unknown group \"$group\". There are: ${!groups[*]}" >&2
    exit 2
  fi
  read -r -a packages <<<"${groups[$group]}"
  wanted+=("${packages[@]}")
done

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
