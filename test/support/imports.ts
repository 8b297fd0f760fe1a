/**
 * Import rules: which folder of src may import which, and why, and that nothing imports in a circle
 * (docs/architecture.md, docs/decisions/0008).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

export interface Rule {
  /** Folders of src, in addition to the folder itself. `x` includes everything below it. */
  readonly folders: readonly string[]
  /** Packages and node: modules; '*' for any. */
  readonly packages: readonly string[]
  readonly reason: string
}

/** Every folder may import these: the base of all errors. */
const FOR_ALL = ['errors']

/** Any part of the daemon may import these: values, and the form in which they travel. */
const VALUES = ['core', 'crypto', 'ipc/shapes', 'ipc/methods']

/** The keeper, and everything it builds on. */
const KEEPER = [
  ...VALUES,
  'process',
  'store',
  'daemon/state',
  'daemon/custody',
  'daemon/personas',
  'daemon/contacts',
  'daemon/own',
  'daemon/keeper',
]

/** The ground of channels at work. */
const CHANNELS = [...KEEPER, 'channel', 'daemon/cards', 'daemon/sealed']

/** The ground of messages at work. */
const MESSAGES = [...KEEPER, 'card', 'message', 'relay', 'daemon/cards', 'daemon/relays', 'daemon/sealed']

/** From the ground up: a folder imports only folders above it in this list. */
export const RULES: Readonly<Record<string, Rule>> = {
  errors: { folders: [], packages: [], reason: 'the base of all errors needs no other code' },
  schema: { folders: [], packages: ['zod'], reason: 'the one place that has schemas made' },
  'core/encoding': { folders: [], packages: [], reason: 'bytes and texts have no meaning here' },
  'core/curve': { folders: ['core/encoding'], packages: [], reason: 'points and scalars have no meaning here' },
  'core/unicode': { folders: [], packages: [], reason: 'facts of Unicode 16.0' },
  core: { folders: ['core'], packages: [], reason: 'core is values in, values out: it runs wherever JavaScript does' },
  'core/announce': {
    folders: ['core'],
    packages: [],
    reason: 'an announcement is values in, values out, as the rest of core',
  },
  'core/succession': { folders: ['core'], packages: [], reason: 'a persona knows no other; only this names two' },
  'core/stream': {
    folders: ['core'],
    packages: [],
    reason: 'a stream has no meaning: backups and messages give it one',
  },
  durable: { folders: [], packages: ['node:'], reason: 'a leaf that everybody who writes files may use' },
  process: {
    folders: ['schema', 'core/encoding'],
    packages: ['node:', 'koffi', 'winston', 'yaml'],
    reason: 'code that all our programs share knows nothing about personas',
  },
  crypto: {
    folders: ['core'],
    packages: ['@noble/hashes', '@scure/bip39', 'node:crypto', 'sodium-native', 'tweetnacl'],
    reason: 'an engine knows no files, sockets or stores',
  },
  store: {
    folders: ['core', 'durable'],
    packages: ['node:', 'level', 'classic-level'],
    reason: 'the store does not know what a profile or a socket is',
  },
  'store/salvage': {
    folders: ['core', 'durable', 'store'],
    packages: ['node:'],
    reason: 'salvage reads what the store wrote, and does not know what the records mean',
  },
  toxnode: {
    folders: ['schema', 'core', 'process'],
    packages: ['node:', 'koffi'],
    reason: 'the Tox node is a separate process and must not contain the keeper',
  },
  pairing: {
    folders: ['core', 'crypto'],
    packages: ['node:crypto', '@scure/bip39', 'noise-handshake'],
    reason: 'a pairing is messages and keys; the command line and other apps decide who carries them',
  },
  record: {
    folders: ['core', 'crypto', 'process'],
    packages: [],
    reason: 'what every record promises names no network',
  },
  'record/veilid': {
    folders: ['schema', 'core', 'crypto', 'process', 'record'],
    packages: ['node:fs', 'node:net', 'node:path', 'node:stream'],
    reason: 'records on Veilid know neither a carrier nor another network of records',
  },
  dht: {
    folders: ['core'],
    packages: ['node:crypto'],
    reason: 'the DHT client holds no key and opens no socket: its carrier hands both in',
  },
  'record/dht': {
    folders: ['core', 'crypto', 'dht', 'process', 'record'],
    packages: [],
    reason: 'records on the DHT open no socket: the way to its client is handed in',
  },
  netnode: {
    folders: ['schema', 'core', 'dht', 'process'],
    packages: ['node:'],
    reason: 'personad-net is a separate program without keys: it must contain neither keeper nor store',
  },
  rtcnode: {
    folders: ['schema', 'core', 'process', 'channel/rtc'],
    packages: ['node:'],
    reason: 'personad-rtc is a separate program without keys: it must contain neither keeper nor store',
  },
  seal: {
    folders: ['core'],
    packages: ['hpke'],
    reason: 'what seals and opens runs in browsers too, over WebCrypto',
  },
  'relay/paths': {
    folders: ['core'],
    packages: [],
    reason: 'the paths of a relay are texts, for its server and its clients',
  },
  relay: {
    folders: ['core', 'relay/paths', 'seal'],
    packages: [],
    reason: 'the client of a relay runs in browsers too: its caller hands in fetch and clock',
  },
  card: {
    folders: ['core'],
    packages: [],
    reason: 'a card is values in, values out, as the rest of core',
  },
  message: {
    folders: ['card', 'core', 'seal'],
    packages: [],
    reason: 'a message is values in, values out: its caller hands in content, keys and cards',
  },
  relayd: {
    folders: ['process', 'relayd'],
    packages: ['node:'],
    reason: 'the relay starts one of its commands',
  },
  'relayd/store': {
    folders: ['card', 'core', 'relay'],
    packages: [],
    reason: 'the contract of a store, and its model in memory, know no disk and no HTTP',
  },
  'relayd/kept': {
    folders: ['store'],
    packages: [],
    reason: 'records of any kind are kept in memory, and none is read there',
  },
  'relayd/records': {
    folders: ['card', 'core', 'crypto', 'relay', 'relayd/kept', 'relayd/store', 'store'],
    packages: ['node:crypto'],
    reason: 'the store of a relay on records keeps sealed bytes, and knows no HTTP',
  },
  'relayd/postgres': {
    folders: ['card', 'core', 'errors', 'relay', 'relayd/objects', 'relayd/records', 'relayd/store', 'store'],
    packages: ['node:crypto', 'node:net', 'node:stream', 'node:timers', 'pg'],
    reason: 'the store of a relay on PostgreSQL has the rules of the records, and knows no file and no HTTP',
  },
  'relayd/move': {
    folders: ['core', 'errors', 'relayd/objects', 'relayd/postgres', 'relayd/records', 'relayd/store', 'store'],
    packages: ['node:'],
    reason: 'a move copies what two stores keep, and knows no rule of it',
  },
  'relayd/boxes': {
    folders: ['core', 'crypto', 'seal', 'relay', 'relayd/store'],
    packages: ['node:crypto'],
    reason: 'the rules of the boxes know neither HTTP nor a kind of store',
  },
  'relayd/cards': {
    folders: ['card', 'core', 'relay', 'relayd/store'],
    packages: ['node:crypto'],
    reason: 'the rules of the cards know neither HTTP nor a kind of store',
  },
  'relayd/inbox': {
    folders: ['card', 'core', 'relay', 'relayd/cards', 'relayd/store'],
    packages: [],
    reason: 'the rules of the inboxes know neither HTTP nor a kind of store',
  },
  'relayd/objects': {
    folders: ['core', 'durable', 'errors', 'relay', 'relayd/cards', 'relayd/store', 'store'],
    packages: ['node:'],
    reason: 'the rules of the objects know their files and no kind of store, and no HTTP',
  },
  'relayd/personas': {
    folders: ['core', 'relay', 'relayd/cards', 'relayd/objects', 'relayd/store', 'store'],
    packages: [],
    reason: 'all of one persona is deleted here, in an order that a crash outlasts',
  },
  'relayd/http': {
    folders: [
      'card',
      'core',
      'process',
      'relay',
      'relayd/boxes',
      'relayd/cards',
      'relayd/inbox',
      'relayd/objects',
      'relayd/personas',
    ],
    packages: ['node:'],
    reason: 'the HTTP server knows boxes, cards, inboxes, objects and personas by their interfaces, and no store',
  },
  'relayd/program': {
    folders: ['schema', 'card', 'core', 'crypto', 'durable', 'ipc', 'process', 'relay', 'relayd', 'seal', 'store'],
    packages: ['node:'],
    reason: 'the program puts the parts of the relay together; it knows no daemon',
  },
  channel: { folders: [], packages: [], reason: 'the folder holds nothing but its parts' },
  'channel/invite': {
    folders: ['core'],
    packages: [],
    reason: 'an invite is a text: it is read before there is a channel',
  },
  'channel/ratchet': {
    folders: ['core'],
    packages: [],
    reason: 'keys and frames know no invite, and nothing of what an app sends',
  },
  'channel/exchange': {
    folders: ['core', 'channel/invite', 'channel/ratchet'],
    packages: [],
    reason: 'a channel is values in, values out: time, randomness and boxes are handed in',
  },
  'channel/handshake': {
    folders: ['core', 'channel'],
    packages: [],
    reason: 'a handshake is values in, values out: seals are handed in too',
  },
  'channel/rtc': {
    folders: ['core'],
    packages: [],
    reason: 'a connection knows no channel and no key: personad-rtc has it, and so have pages',
  },
  'channel/direct': {
    folders: ['core', 'channel/exchange', 'channel/ratchet', 'channel/rtc'],
    packages: [],
    reason: 'the direct way is values, and an end that takes connections, clock and turns from its caller',
  },
  'channel/hpke': {
    folders: ['core', 'seal', 'channel/handshake'],
    packages: [],
    reason: 'the one place where channels and seals meet',
  },
  'channel/carriers': {
    folders: ['core', 'process', 'seal', 'relay', 'channel/invite', 'channel/ratchet'],
    packages: [],
    reason: 'what moves sealed bytes between ends knows no channel, and runs in browsers too',
  },
  'channel/carriers/records': {
    folders: ['core', 'process', 'record', 'channel/carriers', 'channel/invite', 'channel/ratchet'],
    packages: [],
    reason: 'a carrier of records knows neither a network nor a channel: an engine is handed in',
  },
  link: {
    folders: ['core', 'channel/invite'],
    packages: [],
    reason: 'a proposal is values in, values out: its caller makes invites and channels, and carries the texts',
  },
  connectoid: {
    folders: ['core', 'card', 'seal', 'relay', 'channel', 'crypto', 'process'],
    packages: [],
    reason: 'the library of web pages is one file that loads nothing of the daemon',
  },
  'tox/save': {
    folders: ['core', 'crypto'],
    packages: ['node:crypto', 'node:util'],
    reason: 'a profile as bytes knows no file and no clock',
  },
  'tox/profile': {
    folders: ['core', 'crypto', 'durable', 'process', 'tox/save'],
    packages: ['node:'],
    reason: 'profiles are read and written without a daemon',
  },
  'ipc/shapes': {
    folders: ['schema', 'core'],
    packages: [],
    reason: 'a value that travels knows no method and no socket',
  },
  'ipc/wire': { folders: ['core'], packages: [], reason: 'frames are bytes: a client reads them without zod' },
  'ipc/methods': {
    folders: ['schema', 'core', 'crypto', 'ipc/shapes'],
    packages: [],
    reason: 'the table says who may call what; it does not answer',
  },
  ipc: {
    folders: ['durable', 'ipc/wire', 'ipc/shapes', 'ipc/methods'],
    packages: ['node:'],
    reason: 'a client in another program loads neither store, keeper nor server',
  },
  'ipc/server': {
    folders: ['schema', 'ipc', 'ipc/wire', 'ipc/methods'],
    packages: ['node:', 'node-ipc'],
    reason: 'the server carries calls; it does not know what they mean',
  },
  'daemon/state': {
    folders: [...VALUES, 'process', 'store'],
    packages: [],
    reason:
      'the state is the ground of the daemon: it decides nothing beside how much of others it keeps, for which it uses our quota',
  },
  'daemon/custody': {
    folders: [...VALUES, 'process', 'store', 'durable', 'daemon/state'],
    packages: ['node:'],
    reason: 'secrets are kept without knowledge of what they sign',
  },
  'daemon/personas': {
    folders: [...VALUES, 'daemon/state'],
    packages: [],
    reason: 'what a blob does to a record is the same for the owner and for contacts',
  },
  'daemon/contacts': {
    folders: [...VALUES, 'daemon/state', 'daemon/personas'],
    packages: [],
    reason: 'other people are known without the secrets of the owner',
  },
  'daemon/own': {
    folders: [...VALUES, 'ipc', 'daemon/state', 'daemon/custody', 'daemon/personas', 'daemon/contacts'],
    packages: ['fflate'],
    reason: "the owner's table is decided inside of a change, and does not start one",
  },
  'daemon/keeper': {
    folders: KEEPER,
    packages: ['node:'],
    reason: 'the keeper does not know what answers the socket, or which wings there are',
  },
  'daemon/net': {
    folders: ['schema', 'core', 'channel/rtc', 'dht', 'ipc/shapes', 'netnode', 'process', 'rtcnode'],
    packages: ['node:'],
    reason: 'the way to the network knows no persona: wings give it sealed or signed bytes',
  },
  'daemon/sealed': {
    folders: [...KEEPER, 'durable'],
    packages: [],
    reason: 'sealed records know neither what is in them nor who keeps them',
  },
  'daemon/cards/kept': {
    folders: ['schema', ...KEEPER, 'card'],
    packages: [],
    reason: 'which card counts does not depend on who signs, shows or fetches cards',
  },
  'daemon/cards': {
    folders: [
      ...KEEPER,
      'card',
      'channel/handshake',
      'daemon/relays',
      'daemon/sealed',
      'relay',
      'seal',
      'daemon/cards',
    ],
    packages: ['node:crypto'],
    reason: 'cards know no wing: wings show them, and hand in those of peers',
  },
  'daemon/relays': {
    folders: [...KEEPER, 'daemon/net', 'daemon/sealed', 'netnode', 'relay', 'seal'],
    packages: ['node:crypto'],
    reason: 'the relays of the owner know no channel: wings decide what is sent there',
  },
  'daemon/wing': {
    folders: [...KEEPER, 'daemon/net', 'daemon/sealed', 'daemon/relays', 'daemon/cards'],
    packages: [],
    reason: 'the interface of wings names no wing',
  },
  'daemon/profiles': {
    folders: ['schema', ...VALUES, 'process', 'tox', 'daemon/state', 'daemon/wing'],
    packages: ['node:'],
    reason: 'a wing does not know the other wings',
  },
  'daemon/notify': {
    folders: ['schema', ...KEEPER, 'daemon/wing'],
    packages: ['node:'],
    reason: 'a wing does not know the other wings, and a notice changes nothing',
  },
  'daemon/announce': {
    folders: ['schema', ...KEEPER, 'core/announce', 'dht', 'daemon/net', 'daemon/wing'],
    packages: [],
    reason: 'a wing does not know the other wings',
  },
  'daemon/channels/carriers': {
    folders: [
      'core',
      'crypto',
      'durable',
      'netnode',
      'process',
      'record',
      'seal',
      'relay',
      'channel/carriers',
      'channel/invite',
      'channel/ratchet',
    ],
    packages: ['node:'],
    reason: 'a carrier moves sealed bytes: it knows no persona, no store and no channel',
  },
  'daemon/channels/records': {
    folders: ['schema', ...KEEPER, 'channel', 'daemon/channels/carriers', 'daemon/sealed'],
    packages: [],
    reason: 'what lies on the disk knows nothing of what works with it',
  },
  'daemon/channels/ends': {
    folders: [...CHANNELS, 'daemon/channels/carriers', 'daemon/channels/records'],
    packages: [],
    reason: 'an end at work knows no invite and no method',
  },
  'daemon/channels/meet': {
    folders: [...CHANNELS, 'seal', 'daemon/channels/carriers', 'daemon/channels/records', 'daemon/channels/ends'],
    packages: [],
    reason: 'a handshake makes ends, and answers no call',
  },
  'daemon/channels': {
    folders: [...CHANNELS, 'record', 'daemon/channels', 'daemon/wing'],
    packages: [],
    reason: 'a wing does not know the other wings',
  },
  'daemon/messages/records': {
    folders: [...MESSAGES],
    packages: [],
    reason: 'what lies on the disk knows nothing of what works with it',
  },
  'daemon/messages/tasks': {
    folders: [...MESSAGES, 'daemon/messages/records'],
    packages: [],
    reason: 'a queue does not know what its jobs do',
  },
  'daemon/messages/sending': {
    folders: [...MESSAGES, 'daemon/messages/records', 'daemon/messages/tasks', 'daemon/wing'],
    packages: [],
    reason: 'what is sent does not depend on what comes in',
  },
  'daemon/messages/receiving': {
    folders: [...MESSAGES, 'daemon/messages/records', 'daemon/messages/tasks', 'daemon/messages/sending'],
    packages: [],
    reason: 'what comes in answers no call',
  },
  'daemon/messages': {
    folders: [...MESSAGES, 'daemon/messages', 'daemon/wing'],
    packages: [],
    reason: 'a wing does not know the other wings',
  },
  'daemon/chat': {
    folders: [...KEEPER, 'daemon/sealed', 'daemon/wing'],
    packages: [],
    reason: 'the lines of a chat are kept whatever way has carried them',
  },
  'daemon/links/proposals': {
    folders: ['schema', ...KEEPER, 'link', 'daemon/sealed', 'daemon/wing'],
    packages: ['node:timers/promises'],
    reason: 'a proposal knows links by their interface, and channels by what the daemon hands in',
  },
  'daemon/links': {
    folders: [...KEEPER, 'link', 'daemon/links', 'daemon/sealed', 'daemon/wing'],
    packages: [],
    reason: 'a wing does not know the other wings: what links need of channels, the daemon hands in',
  },
  'daemon/apps': { folders: KEEPER, packages: [], reason: 'a wing does not know the other wings' },
  'daemon/companion': {
    folders: ['schema', ...KEEPER, 'tox/save', 'toxnode', 'daemon/wing'],
    packages: ['node:'],
    reason: 'a wing does not know the other wings',
  },
  'daemon/snapshot': {
    folders: ['schema', ...KEEPER],
    packages: ['node:crypto'],
    reason: 'a wing does not know the other wings',
  },
  'daemon/health': {
    folders: [...KEEPER, 'daemon/wing'],
    packages: [],
    reason: 'status and doctor ask every wing, and name none',
  },
  'daemon/rotation': {
    folders: [...KEEPER, 'daemon/snapshot'],
    packages: [],
    reason: 'a rotation is a procedure over the keeper; it knows no wing',
  },
  'daemon/pairing': {
    folders: ['schema', ...KEEPER, 'daemon/snapshot', 'pairing'],
    packages: [],
    reason: 'a pairing carries a snapshot; it knows no wing',
  },
  'daemon/methods': {
    folders: [...KEEPER, 'ipc/wire', 'daemon/apps', 'daemon/cards', 'daemon/health', 'daemon/rotation'],
    packages: ['node:timers/promises'],
    reason: 'what answers the socket about the state does not know how the daemon is put together',
  },
  daemon: {
    folders: ['core', 'crypto', 'durable', 'process', 'store', 'ipc', 'daemon'],
    packages: ['node:', 'koffi'],
    reason: 'the daemon never depends on the command line',
  },
  'cli/io': {
    folders: ['core', 'ipc', 'tox/save'],
    packages: ['node:', 'qrcode', 'yaml'],
    reason: 'input and output know no command',
  },
  'cli/tox': {
    folders: ['core', 'crypto', 'durable', 'ipc', 'tox', 'cli/io'],
    packages: ['node:'],
    reason: 'commands on profiles work without the other commands',
  },
  'cli/contents': {
    folders: ['core', 'ipc', 'cli/io'],
    packages: ['node:'],
    reason: 'contents are the same for channels and messages',
  },
  'cli/events': {
    folders: ['core', 'ipc', 'cli/io'],
    packages: ['node:'],
    reason: 'events are shown, and nothing is done',
  },
  'cli/own': {
    folders: ['core', 'crypto', 'durable', 'ipc', 'tox', 'cli/io', 'cli/tox'],
    packages: ['node:', 'yaml'],
    reason: 'the command line never opens the store: one process writes it',
  },
  'cli/contacts': {
    folders: ['card', 'core', 'crypto', 'durable', 'ipc', 'cli/io', 'cli/events'],
    packages: ['node:'],
    reason: 'the command line never opens the store: one process writes it',
  },
  'cli/daemon': {
    folders: ['core', 'durable', 'ipc', 'netnode', 'process', 'rtcnode', 'store', 'cli/io', 'cli/tox'],
    packages: ['node:', 'yaml'],
    reason: 'the command line asks the daemon, and never loads it; only the files of a stopped one it examines itself',
  },
  'cli/channels': {
    folders: ['core', 'channel/invite', 'ipc', 'cli/io', 'cli/contents', 'cli/events'],
    packages: [],
    reason: 'the command line reads invites, and holds no key of a channel',
  },
  'cli/messages': {
    folders: ['core', 'ipc', 'cli/io', 'cli/contents', 'cli/events'],
    packages: [],
    reason: 'the command line reads no sealed message: the daemon does',
  },
  'cli/chat': {
    folders: ['core', 'ipc', 'process', 'cli/io', 'cli/contents', 'cli/channels', 'cli/daemon'],
    packages: ['node:readline'],
    reason: 'a chat is an app over the socket: it holds no key, and knows no way by itself',
  },
  'cli/pairing': {
    folders: ['core', 'durable', 'ipc', 'pairing', 'cli/io', 'cli/own'],
    packages: ['node:'],
    reason: 'the command line carries the messages of a pairing, and holds none of its keys',
  },
  'cli/program': {
    folders: ['ipc', 'cli'],
    packages: ['commander'],
    reason: 'the grammar names each command and loads its file only when it is called',
  },
  cli: {
    folders: ['ipc', 'process', 'cli'],
    packages: ['commander'],
    reason: 'the entry of the program only starts it',
  },
  launch: { folders: [], packages: ['node:'], reason: 'the launchers only start a program' },
}

export interface Import {
  /** Below src. */
  readonly file: string
  readonly from: string
}

/** Every import of every source below a folder, including `import type`, dynamic imports and re-exports. */
export function importsBelow(root: string): Import[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /(?<!\.d)\.[jt]s$/.test(name))
  return files.flatMap((name) =>
    importsOf(readFileSync(join(root, name), 'utf8')).map((from) => ({ file: name, from })),
  )
}

export function importsOf(source: string): string[] {
  const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([@.\w][^'"\n]*)\1/g
  return [...source.matchAll(pattern)].map((match) => match[2]!)
}

/** The folder of a file of src, such as `core` or `daemon/state`. */
function folderOf(file: string): string {
  return dirname(file).split(sep).join('/')
}

/** The file of src that an import names; null for a package or a file outside src. */
function targetOf(root: string, { file, from }: Import): string | null {
  if (!from.startsWith('.')) return null
  const path = relative(root, resolve(root, dirname(file), from))
  return path.startsWith('..') ? null : path
}

function isBelow(folder: string, allowed: string): boolean {
  return folder === allowed || folder.startsWith(`${allowed}/`)
}

/** The imports that break the rules, as sentences. */
export function violations(root: string, imports: readonly Import[]): string[] {
  return imports.flatMap((each) => {
    const { file, from } = each
    const folder = folderOf(file)
    const rule = RULES[folder]
    if (rule === undefined) return [`src/${file} is in a folder without a rule`]
    const target = targetOf(root, each)
    const isAllowed = from.startsWith('.')
      ? target === null ||
        folderOf(target) === folder ||
        [...FOR_ALL, ...rule.folders].some((name) => isBelow(folderOf(target), name))
      : rule.packages.some(
          (name) => name === '*' || from === name || from.startsWith(name.endsWith(':') ? name : `${name}/`),
        )
    return isAllowed ? [] : [`src/${file} must not import ${from}: ${rule.reason}`]
  })
}

/**
 * Groups of files that import each other in a circle. Types count: to understand one file, a reader has to read all
 * of them.
 */
export function circlesOfFiles(root: string, imports: readonly Import[]): string[][] {
  return circles(
    imports,
    (each) => each.file,
    (each) => targetOf(root, each),
  )
}

/** Groups of folders that import each other in a circle. A folder and its parent are two folders. */
export function circlesOfFolders(root: string, imports: readonly Import[]): string[][] {
  return circles(
    imports,
    (each) => folderOf(each.file),
    (each) => {
      const target = targetOf(root, each)
      return target === null ? null : folderOf(target)
    },
  )
}

/** Strongly connected groups of more than one node, each sorted (Tarjan 1972). */
function circles(
  imports: readonly Import[],
  source: (each: Import) => string,
  target: (each: Import) => string | null,
): string[][] {
  const graph = new Map<string, Set<string>>()
  for (const each of imports) {
    const [from, to] = [source(each), target(each)]
    if (to !== null && to !== from) graph.set(from, (graph.get(from) ?? new Set()).add(to))
  }
  const found: string[][] = []
  const numbers = new Map<string, number>()
  const stack: string[] = []
  const visit = (node: string): number => {
    const number = numbers.size
    numbers.set(node, number)
    stack.push(node)
    let lowest = number
    for (const next of graph.get(node) ?? []) {
      if (!numbers.has(next)) lowest = Math.min(lowest, visit(next))
      else if (stack.includes(next)) lowest = Math.min(lowest, numbers.get(next)!)
    }
    if (lowest === number) {
      const group = stack.splice(stack.indexOf(node))
      if (group.length > 1) found.push(group.toSorted())
    }
    return lowest
  }
  for (const node of graph.keys()) if (!numbers.has(node)) visit(node)
  return found
}
