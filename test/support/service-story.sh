# The life of the service, told in lines "NAME VALUE" for test/e2e/systemd.test.ts. Arguments: node, the root of the checkout.
node=$1 root=$2
service() {
  "$node" --input-type=module -e "
    const service = await import('file://$root/src/cli/service.ts')
    console.log('$1', JSON.stringify(await service.$1({ env: process.env })))"
}
show() { echo "$1 $(systemctl --user show personad --property "$2" --value)"; }
dropin() { mkdir -p ~/.config/systemd/user/personad.service.d; printf '[Service]\n%s\n' "$1" >~/.config/systemd/user/personad.service.d/test.conf; }

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
echo "locked $(awk '/^VmLck/ {print ($2 > 0) ? "some" : "none"}' "/proc/$pid/status")"
echo "no-new-privileges $(awk '/^NoNewPrivs/ {print $2}' "/proc/$pid/status")"
echo "environment $(tr '\0' '\n' <"/proc/$pid/environ" | grep -c '^NODE_OPTIONS=--disable-sigusr1$')"
kill -USR1 "$pid"
service serviceStatus
systemctl --user reload personad
echo "reload $?"
show after-reload ActiveState
systemctl --user stop personad
show stopped Result
show stop-status ExecMainStatus

# What a program inside may do: the same unit with a probe for a program.
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

# A home whose name has everything that a unit file gives a meaning to.
export PERSONAD_HOME="$HOME/a b%h\$HOME\"c'd\\n"
dropin ""
service installService
show odd-started ActiveState
echo "odd $(ls "$PERSONAD_HOME" | tr '\n' ' ')$(ls "$PERSONAD_HOME/run" | tr '\n' ' ')"
unset PERSONAD_HOME
service uninstallService
echo "left $(ls ~/.config/systemd/user/personad.service 2>/dev/null)"
