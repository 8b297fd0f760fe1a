#!/bin/sh
# Loads the rules in FILE and tries them from another machine, which is a network namespace. Call it in namespaces of its own:
#   unshare --net --pid --fork --kill-child --mount-proc sh relay-firewall.sh FILE
# Prints a line for each port.
set -u
unshare --net sleep 80 &
other=$!
# Until the other namespace is there.
while [ "$(readlink /proc/self/ns/net)" = "$(readlink /proc/$other/ns/net)" ]; do :; done
ip link add here type veth peer name there netns $other || exit 99
ip link set lo up && ip addr add 10.9.0.1/24 dev here && ip link set here up || exit 99
outside() { nsenter --net=/proc/$other/ns/net "$@"; }
outside ip addr add 10.9.0.2/24 dev there && outside ip link set there up || exit 99
ip addr add fd09::1/64 dev here nodad || exit 99
for n in 2 3; do outside ip addr add fd09::$n/64 dev there nodad || exit 99; done
for port in 22 80 443 8787; do
  /usr/bin/python3 -m http.server --bind 0.0.0.0 $port >/dev/null 2>&1 &
done
/usr/bin/python3 -m http.server --bind fd09::1 443 >/dev/null 2>&1 &
curl --silent --output /dev/null --retry 50 --retry-delay 1 --retry-connrefused 'http://[fd09::1]:443/' || exit 98
for port in 22 80 443 8787; do
  curl --silent --output /dev/null --retry 50 --retry-delay 1 --retry-connrefused http://127.0.0.1:$port/ || exit 98
done
nft --file "$1" || exit 97
for port in 22 80 443 8787; do
  if outside curl --silent --output /dev/null --max-time 2 http://10.9.0.1:$port/; then echo "$port open"; else echo "$port closed"; fi
done
curl --silent --output /dev/null --max-time 2 http://127.0.0.1:8787/ && echo "8787 open to this machine"
# More new connections than the rules let through at once. One of them is dropped, and times out.
outside /usr/bin/python3 - <<'PYTHON'
import socket
for to, sources in (("10.9.0.1", ["10.9.0.2"]), ("fd09::1", ["fd09::2", "fd09::3"])):
    try:
        for n in range(1000):
            source = (sources[n % len(sources)], 0)
            socket.create_connection((to, 443), timeout=0.5, source_address=source).close()
    except TimeoutError:
        print(f"a flood of {to} is slowed down")
PYTHON
echo "counted: $(nft list set inet relay many6 | grep --only-matching 'fd09::[0-9]*' | sort --unique)"
