# Plays the life of persona-relay as a service of the system and prints lines "NAME VALUE" for test/e2e/relay-unit.test.ts.
root=/opt/personad node=/opt/personad/node_modules/node/bin/node url=http://127.0.0.1:8787
relay() { "$node" "$root/src/launch/persona-relay.js" "$@"; }
show() { systemctl show persona-relay --property "$1" --value; }
ask() { "$node" -e 'fetch(process.argv[1]).then((r) => r.text()).then((t) => console.log(t.trim()), (e) => console.log(e.cause?.code))' "$1"; }

relay init /etc/persona-relay --url https://relay.example >/tmp/init || cat /tmp/init
cp /etc/persona-relay/persona-relay.service /etc/systemd/system/
mkdir /etc/systemd/system/persona-relay.service.d
# There is no journal here.
printf '[Service]\nStandardError=append:/var/log/relay\n' >/etc/systemd/system/persona-relay.service.d/test.conf
systemctl daemon-reload
systemctl start persona-relay
echo "started $(show ActiveState) $(show Result)"
pid=$(show MainPID)
[ "$pid" -gt 0 ] || { cat /var/log/relay; exit 1; }
echo "healthy $(ask $url/healthz)"
uid=$(stat -c %u /var/lib/private/persona-relay)
[ "$(awk '/^Uid:/ {print $2}' "/proc/$pid/status")" = "$uid" ] && [ "$uid" -ge 61184 ] && [ "$uid" -le 65519 ] && echo "user dynamic" || echo "user $uid"
echo "data $(stat -c %a /var/lib/private /var/lib/private/persona-relay | tr '\n' ' ')"
echo "files $(ls /var/lib/private/persona-relay | tr '\n' ' ')"
echo "open-files $(find /var/lib/private/persona-relay -type f -perm /077 | wc -l)"
echo "filter $(awk '/^Seccomp:/ {print $2}' "/proc/$pid/status")"
echo "no-new-privileges $(awk '/^NoNewPrivs:/ {print $2}' "/proc/$pid/status")"
echo "capabilities $(awk '/^CapBnd:/ {print $2}' "/proc/$pid/status")"
echo "core $(awk '/Max core file size/ {print $5}' "/proc/$pid/limits")"
echo "most-files $(awk '/Max open files/ {print $4}' "/proc/$pid/limits")"
kill -USR1 "$pid"

# The operator's commands, as root, from outside of the sandbox.
relay token add bob --dir /var/lib/private/persona-relay >/tmp/token && echo "token $(relay token list --dir /var/lib/private/persona-relay | grep -c bob)"
relay stats --dir /var/lib/private/persona-relay >/tmp/stats && echo "stats $(grep -c . /tmp/stats | awk '{print ($1 > 3) ? "some" : $1}')"

sed -i "s/^  name: .*/  name: 'Operated by Eve'/" /etc/persona-relay/persona-relay.yaml
systemctl reload persona-relay
echo "reloaded $?"
tries=0
until ask $url/info | grep -q 'Operated by Eve' || [ "$tries" -gt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
echo "operator $(ask $url/info | grep -c 'Operated by Eve')"

kill -KILL "$pid"
tries=0
until [ "$(show MainPID)" != "$pid" ] && systemctl is-active --quiet persona-relay || [ "$tries" -gt 300 ]; do tries=$((tries + 1)); sleep 0.1; done
echo "after-kill $(show ActiveState) $(show NRestarts) $(ask $url/healthz)"
systemctl stop persona-relay
echo "stopped $(show ActiveState) $(show Result) $(show ExecMainStatus)"

# A move as docs/operating-a-relay.md has it, but without systemd-run, which needs a bus. There is no database: it reads the directory before it says so.
cat >/etc/systemd/system/mover.service <<UNIT
[Service]
Type=oneshot
DynamicUser=yes
StateDirectory=persona-relay
StateDirectoryMode=0700
ExecStart=$node $root/src/launch/persona-relay.js move --to postgres://relay@/relay?host=/run/nowhere
StandardError=append:/var/log/mover
UNIT
systemctl start mover 2>/dev/null
echo "mover $(grep -c 'the database cannot be reached' /var/log/mover)"
systemctl start persona-relay
echo "after-move $(show ActiveState) $(relay token list --dir /var/lib/private/persona-relay | grep -c bob)"
systemctl stop persona-relay

# A database that is away: it is tried again, more often than the service manager allows units that set no limit of their own.
sed -i 's#^store: .*#store: postgres://relay@/relay?host=/run/nowhere#' /etc/persona-relay/persona-relay.yaml
systemctl start --no-block persona-relay
tries=0
until [ "$(show NRestarts)" -ge 7 ] || [ "$(show ActiveState)" = failed ] || [ "$tries" -gt 600 ]; do tries=$((tries + 1)); sleep 0.1; done
echo "away $(show ActiveState) $(($(show NRestarts) >= 7))"
systemctl stop persona-relay
sed -i 's#^store: .*#store: null#' /etc/persona-relay/persona-relay.yaml

# A configuration that it refuses: it is not tried again.
sed -i 's/^listen: .*/listen: nowhere/' /etc/persona-relay/persona-relay.yaml
systemctl start persona-relay 2>/dev/null
echo "refused $(show ActiveState) $(show ExecMainStatus) $(show NRestarts)"
