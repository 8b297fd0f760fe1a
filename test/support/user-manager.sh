#!/bin/sh
# Runs a script as an unprivileged user with a service manager, as after a login. Root calls it in new mount and PID
# namespaces:
#   unshare --mount --pid --fork --kill-child --mount-proc --propagation private sh user-manager.sh SCRIPT [ARG...]
# Exits with 99 if no such manager can run here, otherwise with the status of SCRIPT.
set -u
uid=65534 home=/home/personad-test runtime=/run/user/65534

if [ "${1:-}" = --inside ]; then
  shift
  dbus-daemon --session --address="unix:path=$runtime/bus" --nofork --nopidfile >"$home/dbus.log" 2>&1 &
  /usr/lib/systemd/systemd --user --log-target=console >"$home/manager.log" 2>&1 &
  tries=0
  until systemctl --user is-system-running >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ]; then tail -5 "$home/manager.log" >&2; exit 99; fi
    sleep 0.1
  done
  exec sh "$@"
fi

# systemd starts only if the system was booted with it. It sets up its sandboxes in a directory that the system's own
# manager creates.
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /home && mkdir -p /run/systemd/system /run/systemd/unit-root "$runtime" "$home" || exit 99
chown "$uid:$uid" "$runtime" "$home" && chmod 700 "$runtime" "$home" || exit 99
found=
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
  [ -e "$hierarchy/cgroup.procs" ] || continue
  group="$hierarchy/personad-test"
  mkdir -p "$group" && chown -R "$uid:$uid" "$group" && echo 0 >"$group/cgroup.procs" || exit 99
  found=yes
done
[ -n "$found" ] || exit 99
exec setpriv --reuid "$uid" --regid "$uid" --clear-groups env -i HOME="$home" XDG_RUNTIME_DIR="$runtime" \
  DBUS_SESSION_BUS_ADDRESS="unix:path=$runtime/bus" PATH=/usr/sbin:/usr/bin:/sbin:/bin sh "$0" --inside "$@"
