import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { netFlags, NET_MAIN } from '../../../src/netnode/start.ts'
import { codePaths } from '../../../src/process/small-program.ts'
import type { Order, Report } from '../../../src/netnode/protocol.ts'
import { NET_PROTOCOL } from '../../../src/netnode/schema.ts'
import { encodeFrame, FrameCutter } from '../../../src/process/frame.ts'
import { checkFrame } from '../../../src/process/protocol.ts'
import { signValue } from '../../support/dht-net.ts'
import { NetStory } from '../../support/net-program.ts'
import { udpNodes } from '../../support/udp-nodes.ts'

const SALT = Uint8Array.of(1, 2, 3)

describe('personad-net as a child', () => {
  test('stores a value on the nodes of the DHT, reads it back, and finds it', async () => {
    const nodes = await udpNodes(4)
    const { net } = await new NetStory({ bootstrap: nodes.slice(0, 1) }).run()
    const signed = signValue('Alice', 7n, new Uint8Array(996).fill(5), SALT)
    expect(await net.put(signed)).toMatchObject({ nodesTook: 4, nodesHold: 4, values: [{ signed, nodes: 4 }] })
    const { values } = await net.get(signed)
    expect(values).toEqual([{ signed, nodes: 4 }])
    expect(net.status().dht?.['sentPackets']).toBeGreaterThan(8)
  })

  test('finds a bootstrap node by its name, if the owner named that host as private', async () => {
    const [node] = await udpNodes(1)
    const bootstrap = [{ host: 'localhost', port: node!.port }]
    const open = await new NetStory({ bootstrap, private: ['localhost'] }).run()
    expect((await open.net.get({ publicKey: new Uint8Array(32), salt: SALT })).nodesAnswered).toBe(1)
    const strict = await new NetStory({ bootstrap, private: [] }).run()
    await expect(strict.net.get({ publicKey: new Uint8Array(32), salt: SALT })).rejects.toMatchObject({
      code: 'NET_DHT',
      message: expect.stringContaining('no node of net.bootstrap can be asked') as string,
    })
  })

  test('sends no packet to a node in a private network that another node lists', async () => {
    const nodes = await udpNodes(2)
    // The second node is at 127.0.0.1 too, but only 127.0.0.1 as such is allowed, and 10.x is not.
    nodes[1] = Object.assign(nodes[1]!, { host: '10.0.0.1' })
    const { net } = await new NetStory({ bootstrap: nodes.slice(0, 1) }).run()
    const report = await net.get({ publicKey: new Uint8Array(32), salt: SALT })
    expect(report.nodesAsked).toBe(1)
    expect(net.status().dht?.['refusedHosts']).toBe(1)
  })

  test('opens no UDP socket if a proxy is configured, and says so', async () => {
    const [node] = await udpNodes(1)
    const proxy = { host: '127.0.0.1', port: 9050 }
    const { net, children } = await new NetStory({ bootstrap: [node!], proxy }).run()
    await expect(net.get({ publicKey: new Uint8Array(32), salt: SALT })).rejects.toMatchObject({ code: 'NET_PROXY' })
    expect(udpSockets(children[0]!.pid!)).toBe(0)
    const { net: plain, children: others } = await new NetStory({ bootstrap: [node!] }).run()
    await plain.get({ publicKey: new Uint8Array(32), salt: SALT })
    expect(udpSockets(others[0]!.pid!)).toBe(1)
  })

  test('is started again when it was killed, and an order in progress fails', async () => {
    // A port that nobody listens at: the lookup waits for its time-out.
    const [node] = await udpNodes(1)
    node!.manners.send = () => []
    const story = await new NetStory({ bootstrap: [node!] }).run()
    const order = story.net.get({ publicKey: new Uint8Array(32), salt: SALT })
    story.children[0]!.kill('SIGKILL')
    await expect(order).rejects.toMatchObject({ code: 'NET_LOST' })
    await expect(story.net.get({ publicKey: new Uint8Array(32), salt: SALT })).rejects.toMatchObject({
      code: 'NET_DOWN',
    })
    expect(story.warnings).toMatchObject([{ code: 'NET_FAILED', againSec: 1 }])
  })

  test('ends when its daemon is gone', async () => {
    const child = spawn(process.execPath, [...netFlags(), NET_MAIN], { stdio: ['pipe', 'pipe', 'inherit'], env: {} })
    onTestFinished(() => void child.kill('SIGKILL'))
    child.stdout.resume()
    const ended = once(child, 'exit')
    await once(child.stdout, 'data')
    child.kill('SIGTERM')
    child.kill('SIGINT')
    child.stdin.end()
    expect(await ended).toEqual([0, null])
  })
})

describe('the permissions of personad-net', () => {
  test('are demanded: without them it does not start', () => {
    const { status, stderr } = spawnSync(process.execPath, [NET_MAIN], { encoding: 'utf8', input: '' })
    expect([status, stderr]).toEqual([2, expect.stringContaining('start it under the permissions of Node')])
  })

  test.each([
    ['read a file', "(await import('node:fs')).readFileSync('/etc/hostname')"],
    ['read a file of the checkout that is not its code', "(await import('node:fs')).readFileSync(ROOT + '/README.md')"],
    ['write a file', "(await import('node:fs')).writeFileSync('/tmp/personad-net-was-here', '')"],
    ['start a program', "(await import('node:child_process')).execFileSync('/bin/true')"],
    ['start a thread', "new (await import('node:worker_threads')).Worker('', { eval: true })"],
    ['load native code', "process.dlopen({ exports: {} }, ROOT + '/node_modules/classic-level/x.node')"],
  ])('forbid to %s', (_deed, code) => {
    const script = `const ROOT = ${JSON.stringify(resolve('.'))}
      try { ${code}; console.log('done') } catch (error) { console.log(error.code) }`
    const run = (flags: readonly string[]): string =>
      spawnSync(process.execPath, [...flags, '--input-type=module', '-e', script], { encoding: 'utf8' }).stdout.trim()
    expect(run(netFlags())).toMatch(/^ERR_ACCESS_DENIED$|^ERR_DLOPEN_DISABLED$/)
  })

  test('name existing files: its code and its manifest, and no package', () => {
    expect(codePaths().filter((path) => !existsSync(path))).toEqual([])
    expect(codePaths()).toEqual([resolve('src'), resolve('package.json')])
  })
})

/** The program under its real flags, spoken to by bytes. */
async function reportsFor(input: Uint8Array): Promise<Report[]> {
  const child = spawn(process.execPath, [...netFlags(), NET_MAIN], { stdio: ['pipe', 'pipe', 'inherit'], env: {} })
  onTestFinished(() => void child.kill('SIGKILL'))
  const cutter = new FrameCutter(NET_PROTOCOL.limits)
  const reports: Report[] = []
  child.stdin.on('error', () => {})
  child.stdin.write(input)
  for await (const piece of child.stdout as AsyncIterable<Buffer>)
    reports.push(...cutter.push(piece).map((frame) => checkFrame(NET_PROTOCOL.reports, frame).message))
  return reports
}

describe('orders that make no sense', () => {
  const configure: Order = { type: 'configure', bootstrap: [], proxy: null, private: [], ca: null }
  test.each([
    ['an unknown order', encodeFrame({ type: 'exec', path: '/bin/sh' }, NET_PROTOCOL.limits)],
    ['an unknown key of an order', encodeFrame({ ...configure, more: 1 }, NET_PROTOCOL.limits)],
    ['a frame that is too long', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a frame that is not JSON', Uint8Array.of(0, 0, 0, 3, 0, 1, 0x7b)],
  ])('end the program with the reason: %s', async (_title, bytes) => {
    const reports = await reportsFor(Buffer.concat([encodeFrame(configure, NET_PROTOCOL.limits), bytes]))
    expect(reports.map(({ type }) => type)).toEqual(['ready', 'failed'])
    expect(reports[1]).toMatchObject({ code: 'NET_FAILED' })
  })

  test('on the DHT without bootstrap nodes are refused, and the program goes on', async () => {
    const { net } = await new NetStory({ bootstrap: [] }).run()
    for (let i = 0; i < 2; i++) {
      const order = net.get({ publicKey: new Uint8Array(32), salt: SALT })
      await expect(order).rejects.toMatchObject({ code: 'NET_OFF' })
    }
  })

  test('such as a value of 997 bytes or with a bad signature are refused, and nothing is sent', async () => {
    const [node] = await udpNodes(1)
    const { net } = await new NetStory({ bootstrap: [node!] }).run()
    await expect(net.put(signValue('Alice', 1n, new Uint8Array(997)))).rejects.toMatchObject({ code: 'NET_DHT' })
    const signed = signValue('Alice', 1n, new Uint8Array(9))
    await expect(net.put({ ...signed, seq: 2n })).rejects.toMatchObject({ code: 'NET_DHT' })
    expect(node!.asked).toEqual([])
  })
})

/** The sockets of a process that speak UDP. */
function udpSockets(pid: number): number {
  const inodes = readdirSync(`/proc/${pid}/fd`).map(
    (fd) => /^socket:\[(\d+)\]$/.exec(readlinkSync(join(`/proc/${pid}/fd`, fd)))?.[1],
  )
  const lines = ['udp', 'udp6'].flatMap((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8').split('\n').slice(1))
  const used = lines.map((line) => line.trim().split(/\s+/)[9])
  return used.filter((inode) => inode !== undefined && inodes.includes(inode)).length
}
