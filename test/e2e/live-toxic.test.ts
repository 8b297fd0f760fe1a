import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatHex, parseHex } from '../../src/core/encoding/bytes.ts'
import { readFriends } from '../../src/tox/save/friends.ts'
import { newSave } from '../../src/tox/save/new-profile.ts'
import { LiveHome } from '../support/live-home.ts'
import { Network } from '../support/network.ts'
import { readSave, writeSave } from '../support/people.ts'
import { tempDir } from '../support/temp-dir.ts'
import { engine, publicKeyOf, secretKeyOf } from '../support/tox-people.ts'
import { liveAbsence, TestNode } from '../support/tox-node.ts'
import { Toxic, toxicAbsence } from '../support/toxic.ts'

const absence = liveAbsence() ?? toxicAbsence()
const BOB = formatHex(publicKeyOf(61))
const LAPTOP = formatHex(publicKeyOf(62))
const REAL_CLOCK = {}

function bobsProfile(path: string, friend: string): void {
  const friends = [{ publicKey: parseHex(friend)!, name: 'Alice', statusMessage: '', lastSeenSec: 0 }]
  const bob = {
    name: 'Bob',
    statusMessage: 'brb',
    secretKey: secretKeyOf(61),
    nospam: Uint8Array.of(1, 2, 3, 4),
    friends,
  }
  writeSave(path, newSave(bob, engine))
}

describe.skipIf(absence !== null)(`toxic and a companion ${absence === null ? '' : `(skipped: ${absence})`}`, () => {
  test(
    'are friends: toxic shows the words and each change, and saves the table in its profile',
    { timeout: 120_000 },
    async () => {
      const network = await Network.make()
      const { prefix } = network
      const bootstrap = new TestNode({ secretKey: secretKeyOf(60), env: REAL_CLOCK, prefix })
      const node = await bootstrap.address()
      const config = '  name: Alice at home\n  words: in the garden\n'
      const home = await LiveHome.start({ bootstrap: [node], config, env: REAL_CLOCK, prefix })
      await home.admin.call('persona.init', { device: { name: 'laptop', key: LAPTOP } })
      const { key } = await home.admin.call('tox.up', {})
      await home.admin.call('tox.add', { id: BOB })

      const directory = tempDir()
      const profile = join(directory, 'bob.tox')
      bobsProfile(profile, key!)
      const known = {
        ipv4: node.host,
        ipv6: '-',
        port: node.port,
        public_key: node.key,
        last_ping: Math.floor(Date.now() / 1000),
        status_udp: true,
        status_tcp: false,
        tcp_ports: [],
      }
      writeFileSync(join(directory, 'nodes.json'), JSON.stringify({ last_refresh: 0, nodes: [known] }))
      const toxic = new Toxic(directory, profile, `-n ${join(directory, 'nodes.json')}`, `${prefix.join(' ')} sh -c`)
      await toxic.shows('] Bob ')
      await home.told('tox.peer', ({ key, change }) => key === BOB && change === 'online')
      // The list of friends, with their status messages.
      toxic.press('C-p')
      await toxic.shows('Alice at home in the garden persona:')
      // A change reaches a client that does not read packets.
      await home.admin.call('device.rename', { device: 'laptop', name: 'new name' })
      const { text } = await home.admin.call('blob.get', { words: 'in the garden' })
      await toxic.shows(`in the garden ${text.slice('in the garden '.length, 180)}`)
      toxic.press('C-p')
      await toxic.exit()
      const [friend] = readFriends(readSave(profile)).friends
      expect(friend!.statusMessage.text).toBe(text)
      expect(await home.admin.call('lookup', { query: BOB })).toMatchObject({
        contact: { kind: 'provisional', name: 'Bob' },
      })
      await home.stop()
    },
  )
})
