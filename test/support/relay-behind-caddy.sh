#!/bin/sh
# Sets up a public relay as docs/operating-a-relay.md says, with Caddy in front, and tries it with "persona-relay check". Call it in a network
# namespace of its own, whose ports are all free:
#   unshare --net sh relay-behind-caddy.sh NODE LAUNCHER DIRECTORY
# Exits with the status of the check.
set -u
node=$1 launcher=$2 at=$3
export HOME="$at" XDG_DATA_HOME="$at/caddy" XDG_CONFIG_HOME="$at/caddy"
ip link set lo up || exit 99
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -keyout "$at/key.pem" -out "$at/cert.pem" 2>/dev/null || exit 99

"$node" "$launcher" init "$at/etc" --url https://localhost || exit 98
# Nobody gives a certificate for this name, so the site has one of its own.
sed -i "s|^localhost {|&\n\ttls $at/cert.pem $at/key.pem|" "$at/etc/Caddyfile"
printf '{\n\tadmin off\n}\nimport %s/etc/Caddyfile\n' "$at" >"$at/Caddyfile"

"$node" "$launcher" serve --config "$at/etc/persona-relay.yaml" --dir "$at/data" 2>"$at/relay.log" &
relay=$!
caddy run --config "$at/Caddyfile" --adapter caddyfile 2>"$at/caddy.log" &
proxy=$!
trap 'kill $relay $proxy; wait' EXIT
# A whole answer, so that the relay itself is up too, and this is no error of the gateway.
until curl --silent --cacert "$at/cert.pem" --retry 60 --retry-delay 1 --retry-all-errors https://localhost/healthz | grep -q true; do
  kill -0 $relay && kill -0 $proxy || { cat "$at/relay.log" "$at/caddy.log"; exit 97; }
done
"$node" "$launcher" check https://localhost --ca "$at/cert.pem"
