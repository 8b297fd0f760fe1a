/**
 * Keeps libtoxcore on this machine: it binds to 127.0.0.1, sends nowhere else, and no child process inherits its
 * sockets. By default libtoxcore binds to every address. The function tables are those of c-toxcore 0.2.18
 * (network.h, crypto_core.h, tox_private.h). They are not a public interface, so never use them with another version.
 */
import { randomInt } from 'node:crypto'
import koffi from 'koffi'

export const LOOPBACK_VERSION = '0.2.18' // the only version whose tables we know

type Pointer = bigint

const AF_INET = 2
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const FIONBIO = 0x5421 // Linux: ioctl_tty(2), sets O_NONBLOCK
const EPERM = 1
const ADDRESS_AT = 4 // struct sockaddr_in: family, port, address
const SIZE_AT = 128 // struct Network_Addr: struct sockaddr_storage, then size_t
const REFUSED = -1

const libc = koffi.load(null)
const bind = libc.func('int bind(int fd, void *address, uint32_t size)')
const close = libc.func('int close(int fd)')
const getrandom = libc.func('long getrandom(void *bytes, size_t length, uint32_t flags)')
const ioctl = libc.func('int ioctl(int fd, unsigned long request, void *value)')
const recvfrom = libc.func(
  'long recvfrom(int fd, void *bytes, size_t length, int flags, void *address, void *addressSize)',
)
const sendto = libc.func(
  'long sendto(int fd, void *bytes, size_t length, int flags, void *address, uint32_t addressSize)',
)
const setsockopt = libc.func('int setsockopt(int fd, int level, int name, void *value, uint32_t size)')
const socket = libc.func('int socket(int domain, int type, int protocol)')

/** libtoxcore uses these for as long as this process runs. */
const size = koffi.alloc('uint32_t', 1) as Pointer
const one = koffi.alloc('int', 1) as Pointer

function refuse(): number {
  koffi.errno(EPERM)
  return REFUSED
}

function isLoopback(address: Pointer): boolean {
  return koffi.decode(address, 'uint16_t') === AF_INET && koffi.decode(address, ADDRESS_AT, 'uint8_t') === 127
}

/**
 * In the order of struct Network_Funcs. Streams are refused: libtoxcore would call connect() directly, outside this
 * table.
 */
const NETWORK: readonly (readonly [prototype: string, run: (...args: never[]) => number] | null)[] = [
  ['int live_close(void *o, int fd)', (_: Pointer, fd: number): number => close(fd) as number],
  ['int live_accept(void *o, int fd)', refuse],
  [
    'int live_bind(void *o, int fd, void *address)',
    (_: Pointer, fd: number, address: Pointer): number => {
      if (koffi.decode(address, 'uint16_t') !== AF_INET) return refuse()
      koffi.encode(address, ADDRESS_AT, koffi.array('uint8_t', 4), [127, 0, 0, 1])
      return bind(fd, address, Number(koffi.decode(address, SIZE_AT, 'size_t'))) as number
    },
  ],
  ['int live_listen(void *o, int fd, int backlog)', refuse],
  ['int live_recvbuf(void *o, int fd)', refuse],
  ['int live_recv(void *o, int fd, void *bytes, size_t length)', refuse],
  [
    'int live_recvfrom(void *o, int fd, void *bytes, size_t length, void *address)',
    (_: Pointer, fd: number, bytes: Pointer, length: number, address: Pointer): number => {
      koffi.encode(size, 'uint32_t', SIZE_AT)
      const got = Number(recvfrom(fd, bytes, length, 0, address, size))
      koffi.encode(address, SIZE_AT, 'size_t', koffi.decode(size, 'uint32_t'))
      return got
    },
  ],
  ['int live_send(void *o, int fd, void *bytes, size_t length)', refuse],
  [
    'int live_sendto(void *o, int fd, void *bytes, size_t length, void *address)',
    (_: Pointer, fd: number, bytes: Pointer, length: number, address: Pointer): number => {
      if (!isLoopback(address)) return refuse()
      return Number(sendto(fd, bytes, length, 0, address, Number(koffi.decode(address, SIZE_AT, 'size_t'))))
    },
  ],
  [
    'int live_socket(void *o, int domain, int type, int protocol)',
    (_: Pointer, domain: number, type: number, protocol: number): number =>
      domain === AF_INET && type === SOCK_DGRAM ? (socket(domain, type | SOCK_CLOEXEC, protocol) as number) : refuse(),
  ],
  [
    'int live_nonblock(void *o, int fd, bool on)',
    (_: Pointer, fd: number, on: boolean): number => {
      koffi.encode(one, 'int', on ? 1 : 0)
      return ioctl(fd, FIONBIO, one) as number
    },
  ],
  ['int live_getsockopt(void *o, int fd, int level, int name, void *value, void *size)', refuse],
  [
    'int live_setsockopt(void *o, int fd, int level, int name, void *value, size_t length)',
    (_: Pointer, fd: number, level: number, name: number, value: Pointer, length: number): number =>
      setsockopt(fd, level, name, value, length) as number,
  ],
  null, // getaddrinfo and freeaddrinfo, which this version never calls
  null,
]

/**
 * Makes a struct Tox_System for `tox_options_set_operating_system`. It is never freed.
 * @param clockRate how many times faster than real time the node's clock runs. Always 1, except in tests, which
 *   cannot wait for timers of whole seconds.
 */
export function loopbackSystem(clockRate: number): Pointer {
  const network = struct(NETWORK.map((entry) => (entry === null ? 0n : callback(...entry))))
  const random = struct([
    callback('void live_bytes(void *o, void *bytes, size_t length)', (_: Pointer, bytes: Pointer, length: number) => {
      // getrandom returns fewer bytes only above 256 bytes or without entropy. With zeros left in, everybody would
      // share the key.
      if (Number(getrandom(bytes, length, 0)) !== length) process.abort()
    }),
    callback('uint32_t live_uniform(void *o, uint32_t bound)', (_: Pointer, bound: number) =>
      bound === 0 ? 0 : randomInt(bound),
    ),
  ])
  const clock = callback('uint64_t live_clock(void *o)', () => BigInt(Math.floor(performance.now() * clockRate)))
  return struct([clockRate === 1 ? 0n : clock, 0n, struct([random, 0n]), struct([network, 0n])])
}

function callback(prototype: string, run: (...args: never[]) => unknown): Pointer {
  return koffi.register(run, koffi.pointer(koffi.proto(prototype)))
}

/** Makes a struct of pointers, in memory that does not move. */
function struct(members: readonly Pointer[]): Pointer {
  const memory = koffi.alloc('uint64_t', members.length) as Pointer
  for (const [i, member] of members.entries()) koffi.encode(memory, 8 * i, 'uint64_t', member)
  return memory
}
