// Nodes of bittorrent-dht on loopback for a test: dht-nodes.mjs COUNT [BOOTSTRAP_PORT ...]. Orders and answers are lines of JSON; bytes are
// hex. A process of its own, because single packets end it (test/support/dht-hostile.ts).
import { createInterface } from 'node:readline'
import DHT from 'bittorrent-dht'
import nacl from 'tweetnacl'
import { verifyByOpenssl as verify } from '../../src/netnode/verify.ts'

const [count, ...others] = process.argv.slice(2).map(Number)
const answer = (fields) =>
  console.log(JSON.stringify(fields, (_, value) => (typeof value === 'bigint' ? String(value) : value)))

/** The node lists nobody who says that they answer no query (BEP 43). A client that has ended then costs later lookups nothing. */
function heedReadOnly(rpc) {
  const list = (add) => Reflect.set(rpc, '_addNode', add)
  const add = Reflect.get(rpc, '_addNode')
  rpc.socket.prependListener('query', (query) => list(query.ro === 1 ? () => {} : add))
  rpc.socket.on('query', () => list(add))
}

/** The node answers as late as one that is far away. */
function delayAnswers({ socket }, delayMs) {
  const send = socket.send.bind(socket)
  socket.send = (peer, message, sent) => setTimeout(() => send(peer, message, sent), message.y === 'q' ? 0 : delayMs)
}

const ports = (process.env.LISTEN_AT ?? '').split(' ').map(Number)
const nodes = []
for (let i = 0; i < count; i++) {
  const known = [...others, ...nodes.map((node) => node.address().port)]
  const node = new DHT({ bootstrap: known.length > 0 && known.map((port) => `127.0.0.1:${port}`), verify })
  const ready = new Promise((resolve) => node.once('ready', resolve))
  await new Promise((resolve) => node.listen(ports[i] ?? 0, '127.0.0.1', resolve))
  await ready
  if (process.env.HEED_READ_ONLY === '1') heedReadOnly(Reflect.get(node, '_rpc'))
  const delayMs = Number(process.env.ANSWER_DELAY_MS)
  if (delayMs > 0) delayAnswers(Reflect.get(node, '_rpc'), delayMs)
  nodes.push(node)
}
answer({ ports: nodes.map((node) => node.address().port) })

const kept = []
const orders = {
  /** How many of the nodes hold a value at this target, and how many exactly this one. */
  held({ target, value }) {
    const held = nodes.map((node) => Reflect.get(node, '_values').get(target)).filter((found) => found != null)
    answer({ nodes: held.length, same: held.filter(({ v }) => Buffer.from(v).toString('hex') === value).length })
  },
  /** As after two hours without a put: the nodes hold nothing. */
  forget() {
    for (const node of nodes) Reflect.get(node, '_values').clear()
    answer({ nodes: nodes.length })
  },
  /** Notes what lies at a target. */
  keep({ target }) {
    kept.splice(0, kept.length, ...nodes.map((node) => Reflect.get(node, '_values').get(target)))
    answer({ nodes: kept.length })
  },
  /** Puts back what was kept, in the place of anything newer. */
  putBack({ target }) {
    for (const [i, node] of nodes.entries()) if (kept[i] != null) Reflect.get(node, '_values').set(target, kept[i])
    answer({ nodes: kept.length })
  },
  /** Changes the last bit of the value at a target. */
  flip({ target }) {
    for (const node of nodes) {
      const found = Reflect.get(node, '_values').get(target)
      if (found == null) continue
      const v = Buffer.from(found.v)
      v[v.length - 1] ^= 1
      Reflect.get(node, '_values').set(target, { ...found, v })
    }
    answer({ nodes: nodes.length })
  },
  get({ target, salt }) {
    nodes[0].get(Buffer.from(target, 'hex'), { salt: Buffer.from(salt, 'hex'), verify }, (error, found) => {
      answer({ value: found == null ? '' : Buffer.from(found.v).toString('hex'), seq: String(found?.seq ?? '') })
    })
  },
  put({ secret, key, salt, value, seq }) {
    const sign = (message) => Buffer.from(nacl.sign.detached(message, Buffer.from(secret, 'hex')))
    const opts = { k: Buffer.from(key, 'hex'), salt: Buffer.from(salt, 'hex'), seq, v: Buffer.from(value, 'hex'), sign }
    nodes[0].put(opts, (error, hash, stored) => answer({ stored: stored ?? 0, error: error?.message ?? null }))
  },
}
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line)
  orders[order.do](order)
}
process.exit(0)
