#!/bin/sh
# Boots the system's service manager below a root of its own, runs one script there, and ends. Root calls it in new namespaces:
#   unshare --mount --pid --ipc --uts --net --fork --kill-child --propagation private sh system-manager.sh CHECKOUT SCRIPT DIRECTORY
# SCRIPT is a path below CHECKOUT. Its output goes into DIRECTORY/lines. Exits with 99 if no such manager can run here, otherwise with the
# status of SCRIPT. This manager reads the programs and the checkout, and writes only into memory: it never sees the /tmp, /var and /run
# of the machine, which it would clean.
set -u
if [ "$1" != --inside ]; then
  for hierarchy in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    mkdir -p "$hierarchy/personad-test" && echo 0 >"$hierarchy/personad-test/cgroup.procs" || exit 99
  done
  exec unshare --cgroup sh "$0" --inside "$@"
fi
checkout=$2 script=$3 out=$4 root=$4/root
mkdir "$root" && : >"$out/lines" || exit 99
mount -t tmpfs tmpfs "$root" || exit 99
cd "$root" || exit 99
mkdir -p usr opt/personad etc/systemd/system proc sys dev run tmp var/log var/tmp root out || exit 99
for name in bin sbin lib lib32 lib64 libx32; do [ -L "/$name" ] && cp -P "/$name" .; done
read_only() { mount --rbind "$1" "$2" && mount -o remount,bind,ro "$2"; }
read_only /usr usr && read_only "$checkout" opt/personad || exit 99
# No unit of the machine: only what stands below.
mount -t tmpfs tmpfs usr/lib/systemd/system || exit 99
cp -a /etc/ld.so.cache /etc/alternatives /etc/ssl etc 2>/dev/null
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n' >etc/passwd
printf 'root:x:0:\nnogroup:x:65534:\n' >etc/group
printf 'passwd: files systemd\ngroup: files systemd\nhosts: files\n' >etc/nsswitch.conf
printf '127.0.0.1 localhost\n' >etc/hosts
printf '0123456789abcdef0123456789abcdef\n' >etc/machine-id

mount -t proc proc proc && mount -t sysfs -o ro sysfs sys && mount -t tmpfs tmpfs run && mount -t tmpfs tmpfs sys/fs/cgroup || exit 99
mkdir sys/fs/cgroup/systemd sys/fs/cgroup/unified
mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd || exit 99
mount -t cgroup2 cgroup2 sys/fs/cgroup/unified || exit 99
mount -t tmpfs tmpfs dev && mkdir dev/shm dev/pts && ln -s pts/ptmx dev/ptmx || exit 99
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts || exit 99
for name in null zero full random urandom tty; do touch "dev/$name" && mount --bind "/dev/$name" "dev/$name" || exit 99; done
touch out/lines && mount --bind "$out/lines" out/lines || exit 99

for name in sysinit basic shutdown network-online multi-user umount; do
  printf '[Unit]\nDefaultDependencies=no\n' >"etc/systemd/system/$name.target"
done
cat >etc/systemd/system/story.service <<UNIT
[Unit]
DefaultDependencies=no
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
ExecStart=/bin/sh /opt/personad/$script
StandardOutput=append:/out/lines
StandardError=append:/out/lines
TimeoutStartSec=120
UNIT
# The old root goes away: a service gets its own mounts only below a root that is the root of its namespace.
mkdir old && pivot_root . old || exit 99
exec chroot . /bin/sh -c 'umount -l /old && exec env -i container=personad PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /usr/lib/systemd/systemd --unit=story.service --log-target=console --show-status=no' </dev/null
