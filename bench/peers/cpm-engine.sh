#!/usr/bin/env bash
# The candidate: `cpm-engine serve` as B2BUA between the caller and $UAS_IP:$UAS_PORT, its session store in SQLite.
# Environment: HISTORY=1 records every session too; SYNCHRONOUS [normal] and SESSIONS [sqlite] as in the configuration;
# ROOT [this checkout], a built one; NODE_FLAGS, more flags of Node.
set -euo pipefail
root=${ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
work=$(mktemp -d "${TMPDIR:-/tmp}/cpm-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

sessions="{driver: sqlite, path: '$work/sessions.sqlite', synchronous: ${SYNCHRONOUS:-normal}}"
[[ ${SESSIONS:-sqlite} == memory ]] && sessions='{driver: memory}'
history='{driver: none}'
users='{driver: any}'
if [[ ${HISTORY:-0} == 1 ]]; then
	history="{driver: sqlite, path: '$work/history.sqlite'}"
	users="{driver: file, path: '$work/users.yaml'}"
	cat >"$work/users.yaml" <<-'YAML'
		users:
		  "sip:alice@home.example": {preferences: {allowOfflineStorage: true}}
		  "sip:bob@home.example": {preferences: {allowOfflineStorage: true}}
	YAML
fi
cat >"$work/pf.yaml" <<YAML
sip: {listen: ["udp:$PEER_IP:$PEER_PORT"], core: "sip:$UAS_IP:$UAS_PORT;lr"}
policy: {mediaPath: always}
users: $users
registrar: {driver: none}
sessions: $sessions
history: $history
admin: {listen: "127.0.0.1:0"}
log: {level: warn, format: json}
YAML
cd "$work"
# With the flags that the program has when it is started by its name.
read -r -a node < <(sed -n '1s/^#!.*-S //p' "$root/dist/src/server/main.js")
"${node[@]}" ${NODE_FLAGS:-} "$root/dist/src/server/main.js" serve --config "$work/pf.yaml" &
server=$!
trap 'kill -TERM "$server" 2>/dev/null; wait "$server" || true; rm -rf "$work"' EXIT
trap 'exit 143' TERM INT
wait "$server"
