#!/usr/bin/env bash
# veilid-upstream.sh PATH: runs the tests of Veilid's own Python client against two nodes of our stand-in for veilid-server. PATH is the folder
# veilid-python of Veilid's sources. Left out are its tests of cryptography, routes, tables and transactions, of the node's state and of its default
# configuration, none of which the stand-in has. It needs Debian's python3-pytest, python3-pytest-asyncio, python3-jsonschema and python3-appdirs. It changes nothing in PATH.
set -euo pipefail
source=$(realpath "${1:?usage: veilid-upstream.sh PATH}")
root=$(dirname "$(dirname "$(realpath "$0")")")
port=${VEILID_PORT:-5959}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$source/veilid" "$source/tests" "$work"
# Python below 3.12 takes no quote of an f-string inside of it.
/usr/bin/python3 - "$work/veilid" <<'PYTHON'
import pathlib, re, sys
for path in pathlib.Path(sys.argv[1]).glob("*.py"):
    text = path.read_text()
    path.write_text(re.sub(r'\b(response|request|req)\["(\w+)"\]', r"\1['\2']", text))
PYTHON
cd "$root"
mkfifo "$work/stop" "$work/ports"
npx node test/support/veilid-server.ts --nodes 2 --port "$port" <"$work/stop" >"$work/ports" &
exec 3>"$work/stop" 4<"$work/ports"
read -r _ <&4 && read -r _ <&4
cd "$work"
# No unix socket, so that the client takes the ports: those of the two nodes follow each other.
INTEGRATION=1 VEILID_SERVER_IPC="$work/none" VEILID_SERVER_NETWORK="127.0.0.1:$port" PYTHONPATH="$work" \
  /usr/bin/python3 -m pytest -q -rs -p no:cacheprovider -k 'not node_ids and not config' tests/test_basic.py tests/test_dht.py "${@:2}" || status=$?
exec 3>&-
wait
exit "${status:-0}"
