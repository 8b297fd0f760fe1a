# Plays the life of the service and prints lines "NAME VALUE" for test/e2e/systemd.test.ts. Arguments: node, the root
# of the checkout.
node=$1 root=$2
service() {
  "$node" --input-type=module -e "
    const files = ['service.ts', 'service-status.ts'].map((name) => import('file://$root/src/cli/daemon/' + name))
    const service = Object.assign({}, ...(await Promise.all(files)))
    console.log('${3:-$1}', JSON.stringify(await service.$1({ env: process.env ${2:-} })))"
}
show() { echo "$1 $(systemctl --user show personad --property "$2" --value)"; }
dropin() { mkdir -p ~/.config/systemd/user/personad.service.d; printf '[Service]\n%s\n' "$1" >~/.config/systemd/user/personad.service.d/test.conf; }

# Waits at most ten seconds until the daemon's log has one more event of this name than at the last call.
settled() {
  seen=$(($(cat "$HOME/seen-$1" 2>/dev/null || echo 0) + 1)) tries=0
  echo "$seen" >"$HOME/seen-$1"
  until [ "$(grep -c "\"$1\"" "$HOME/daemon.log")" -ge "$seen" ] || [ "$tries" -gt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
}
await_state() {
  tries=0
  until [ "$(systemctl --user show personad --property ActiveState --value)" = "$1" ] || [ "$tries" -gt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
}
persona() { "$node" "$root/src/launch/persona.js" "$@"; }

mkdir -p ~/.ssh
touch ~/.ssh/id
dropin "StandardError=append:$HOME/daemon.log"
service installService
show started ActiveState
show pid MainPID
show exec-status ExecMainStatus
cat "$HOME/daemon.log" >&2
echo "modes $(stat -c '%a' "$XDG_RUNTIME_DIR/personad" "$XDG_RUNTIME_DIR/personad/admin" "$HOME/.local/state/personad" | tr '\n' ' ')"
pid=$(systemctl --user show personad --property MainPID --value)
echo "limits $(awk '/Max core file size/ {print $5}' "/proc/$pid/limits")"
echo "no-new-privileges $(awk '/^NoNewPrivs/ {print $2}' "/proc/$pid/status")"
# The user cannot read /proc/PID/environ, because the process is not dumpable.
echo "environment $(systemctl --user show personad --property Environment | grep -c 'NODE_OPTIONS=--disable-sigusr1')"
kill -USR1 "$pid"
service serviceStatus
systemctl --user reload personad
echo "reload $?"
# ExecReload= ends once the signal is sent; only the daemon's log shows that the reload is done.
settled config.reloaded
await_state active
show after-reload ActiveState

# Profiles that lose the table: first with the daemon alone, then with personad-repair outside the sandbox.
mkdir -p -m 700 ~/.config/personad ~/tox ~/.config/systemd/user/personad-repair.service.d
printf 'watch:\n  profiles: [~/tox]\n  repair: true\n' >~/.config/personad/personad.yaml
chmod 600 ~/.config/personad/personad.yaml
printf '[Service]\nStandardOutput=append:%s\nStandardError=append:%s\n' "$HOME/tox/hand.log" "$HOME/tox/hand.log" \
  >~/.config/systemd/user/personad-repair.service.d/test.conf
systemctl --user reload personad
settled config.reloaded
"$node" "$root/test/support/repair-story.ts" alone "$HOME/tox"
# Check locked memory only now: earlier there is no secret to hold, and the garbage collector decides what is still
# locked.
echo "locked $(awk '/^VmLck/ {print ($2 > 0) ? "some" : "none"}' "/proc/$pid/status")"
touch ~/tox/hand.log
timeout 60 "$node" "$root/test/support/repair-story.ts" hand "$HOME/tox" "$HOME/tox/hand.log" >~/story.log 2>&1 &
story=$!
until grep -q '^ready' ~/story.log 2>/dev/null; do sleep 0.1; done
daemon=$(systemctl --user show personad --property MainPID --value)
service installService ', repair: true' installRepair
[ "$daemon" = "$(systemctl --user show personad --property MainPID --value)" ] && echo "repair-daemon same"
wait "$story"
grep '^repair-' ~/story.log || { cat ~/story.log ~/tox/hand.log >&2; }
pid=$(systemctl --user show personad-repair --property MainPID --value)
echo "repair-no-new-privileges $(awk '/^NoNewPrivs/ {print $2}' "/proc/$pid/status")"
echo "repair-filter $(awk '/^Seccomp:/ {print $2}' "/proc/$pid/status")"
systemctl --user restart personad
tries=0
until systemctl --user is-active --quiet personad-repair || [ "$tries" -gt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
echo "repair-restarted $(systemctl --user is-active personad-repair)"
service serviceStatus '' statusWithRepair

# The network: by a unit of its own, which the configuration of the daemon starts.
service installService ', net: true' installNet
echo "net-idle $(systemctl --user is-active personad-net.socket) $(systemctl --user is-active personad-net.service)"
echo "rtc-idle $(systemctl --user is-active personad-rtc.socket) $(systemctl --user is-active personad-rtc.service)"
printf 'net:\n  bootstrap: ["127.0.0.1:9"]\n  private: [127.0.0.1]\n  direct: true\n' >>~/.config/personad/personad.yaml
systemctl --user restart personad
tries=0
until persona status --json | grep -q '"state": *"running"' || [ "$tries" -gt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
echo "net-running $(systemctl --user is-active personad-net.service)"
echo "net-status $(persona status --json | tr -d ' \n' | grep -o '"how":"unit"')"
service serviceStatus '' statusWithNet
daemon=$(systemctl --user show personad --property MainPID --value)
net=$(systemctl --user show personad-net.service --property MainPID --value)
interfaces() { tail -n +3 "/proc/$1/net/dev" | cut -d: -f1 | tr -d ' ' | sort | tr '\n' ' '; }
echo "net-daemon-interfaces $(interfaces "$daemon")"
[ "$(interfaces "$net")" = "$(interfaces self)" ] && [ "$(readlink "/proc/$net/ns/net")" = "$(readlink /proc/self/ns/net)" ] && echo "net-unit-interfaces as the machine" ||
  echo "net-unit-interfaces $(interfaces "$net"), machine $(interfaces self)"
echo "net-daemon-child $(pgrep -P "$daemon" >/dev/null && echo some || echo none)"
# How the running unit is confined. Argument: net or rtc.
confined() {
  pid=$(systemctl --user show "personad-$1.service" --property MainPID --value)
  echo "$1-permission $(tr '\0' '\n' <"/proc/$pid/cmdline" | grep -cx -- --permission)"
  echo "$1-no-new-privileges $(awk '/^NoNewPrivs/ {print $2}' "/proc/$pid/status")"
  echo "$1-filter $(awk '/^Seccomp:/ {print $2}' "/proc/$pid/status")"
  echo "$1-memory $(awk '/^VmRSS/ {print ($2 < 122880) ? "small" : $2}' "/proc/$pid/status")"
}
confined net

# The direct way: both ends of a connection of WebRTC, by the socket of the unit.
echo "rtc-doctor $(persona doctor --json | grep -o '"DIRECT[A-Z_]*"' | tr -d '"')"
"$node" "$root/test/support/rtc-story.ts" "$XDG_RUNTIME_DIR/personad-rtc.sock" >~/rtc.log 2>&1 &
story=$! tries=0
until grep -q '^rtc-connected' ~/rtc.log || [ "$tries" -gt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
grep '^rtc-connected' ~/rtc.log || cat ~/rtc.log >&2
confined rtc
kill "$story"

# What a program inside the sandbox sees. Arguments: net or rtc, a file of its own code.
probe_unit() {
  unit="personad-$1.service" log="$HOME/$1-probe"
  systemctl --user stop "$unit"
  mkdir -p ~/.config/systemd/user/"$unit.d"
  printf '[Service]\nType=oneshot\nStandardOutput=append:%s\nExecStart=\nExecStart=%s\n' "$log" "/bin/sh -c 'ls -A \"\$HOME\" 2>/dev/null | grep -q . && echo home; cat \"\$HOME/.ssh/id\" 2>/dev/null && echo ssh; ls \"\$HOME/.local/state/personad\" >/dev/null 2>&1 && echo state; ls \"\$XDG_RUNTIME_DIR/personad\" >/dev/null 2>&1 && echo run; touch \"\$HOME/x\" /usr/x /run/x 2>/dev/null && echo wrote; unshare -Ur true 2>/dev/null && echo userns; ls \"$root/$2\" >/dev/null && echo code'" \
    >~/.config/systemd/user/"$unit.d/test.conf"
  systemctl --user daemon-reload
  systemctl --user start "$unit"
  echo "$1-probe $(tr '\n' ' ' <"$log")"
  rm -r ~/.config/systemd/user/"$unit.d"
}
systemctl --user stop personad
probe_unit net src/netnode/main.ts
probe_unit rtc node_modules/node-datachannel/package.json
systemctl --user daemon-reload
systemctl --user start personad
tries=0
until systemctl --user is-active --quiet personad-repair || [ "$tries" -gt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
systemctl --user stop personad
echo "repair-stopped $(systemctl --user show personad-repair --property ActiveState,Result | sort | tr '\n' ' ')"
systemctl --user disable personad-repair 2>/dev/null
rm ~/.config/personad/personad.yaml
show stopped Result
show stop-status ExecMainStatus

# The service manager provides the key: it seals unsealed secrets, and only it opens them.
sealed_by() { echo "$1 $(persona doctor --json | grep -o '"SEALED_[A-Z]*"\|"SECRETS_UNSEALED"\|"DAEMON_STOPPED"' | tr -d '"' | tr '\n' ' ')"; }
head -c 32 /dev/urandom >~/personad.key && chmod 600 ~/personad.key
# systemd would refuse this many starts within two minutes.
systemctl --user reset-failed personad 2>/dev/null
log="StandardError=append:$HOME/daemon.log"
with_key="$log
LoadCredential=personad.key:$HOME/personad.key"
systemctl --user start personad
sealed_by sealed-before
dropin "$with_key"
systemctl --user daemon-reload
systemctl --user restart personad
sealed_by sealed-with
dropin "$log"
systemctl --user daemon-reload
systemctl --user restart personad 2>/dev/null
show keyless-status ExecMainStatus
echo "keyless $(grep -c CREDENTIAL_MISSING "$HOME/daemon.log")"
dropin "$with_key"
systemctl --user daemon-reload
systemctl --user restart personad
echo 'a long enough passphrase' >~/passphrase && chmod 600 ~/passphrase
persona passphrase set --passphrase-file ~/passphrase >&2
sealed_by sealed-last
# The sandbox lets the daemon reach the session bus, on which nothing shows notifications here.
echo "desktop $(persona doctor --json | grep -o '"NOTIFY[A-Z_]*"' | tr -d '"')"
# A screen locker's signal reaches the daemon despite the option that blocks it.
systemctl --user kill --signal USR1 personad
tries=0
until persona status --json | grep -q '"locked": *true' || [ "$tries" -gt 20 ]; do tries=$((tries + 1)); sleep 0.1; done
echo "signal-locked $(persona status --json | grep -o '"locked": *[a-z]*' | tr -d ' ')"
systemctl --user stop personad
systemctl --user reset-failed personad 2>/dev/null

# What a program inside the sandbox may do: run the same unit with a probe as its program.
dropin "Type=oneshot
Restart=no
WatchdogSec=0
StandardOutput=append:$HOME/.local/state/personad/probe
ExecStart=
ExecStart=/bin/sh -c 'touch \"\$HOME/x\" 2>/dev/null && echo home; touch /usr/x 2>/dev/null && echo usr; cat \"\$HOME/.ssh/id\" 2>/dev/null && echo ssh; cat /home/personad-test/.ssh/id 2>/dev/null && echo ssh; touch \"\$HOME/.local/state/personad/x\" && echo state; touch \"\$XDG_RUNTIME_DIR/personad/x\" && echo run; unshare -Ur true 2>/dev/null && echo userns; grep -qvE \"lo:|face|Inter\" /proc/self/net/dev && echo network'"
systemctl --user daemon-reload
systemctl --user start personad
echo "probe $(tr '\n' ' ' <"$HOME/.local/state/personad/probe")"

dropin ""
systemctl --user daemon-reload
mkdir -p -m 700 ~/.config/personad
printf 'log:\n  level: loud\n' >~/.config/personad/personad.yaml
chmod 600 ~/.config/personad/personad.yaml
systemctl --user start personad 2>/dev/null
echo "broken $?"
show broken-state ActiveState
show broken-status ExecMainStatus
show broken-restarts NRestarts

# A home whose name contains every character with a meaning in unit files.
export PERSONAD_HOME="$HOME/a b%h\$HOME\"c'd\\n"
dropin ""
service installService
show odd-started ActiveState
echo "odd $(ls "$PERSONAD_HOME" | tr '\n' ' ')$(ls "$PERSONAD_HOME/run" | tr '\n' ' ')"
unset PERSONAD_HOME
service uninstallService
echo "left $(cd ~/.config/systemd/user && find . -name '*.service' -o -name '*.socket' 2>/dev/null)"
