/** Real daemons of people who have a persona, for measuring. */
import { randomBytes } from 'node:crypto'
import type { Client } from '../src/ipc/client.ts'

export function newKey(): string {
  return `${randomBytes(31).toString('hex').toUpperCase()}00` // below 2^255 - 19
}

/** @returns the PersonaID */
export async function begin(admin: Client): Promise<string> {
  return (await admin.call('persona.init', { device: { name: 'laptop', key: newKey() } })).table.personaId
}

/** Brings the persona of one daemon to another one, as two command lines do. */
export async function pairDevices(old: Client, fresh: Client): Promise<void> {
  const { words } = await old.call('pairing.offer', { carrier: 'files' })
  const device = { name: 'phone', key: newKey() }
  await fresh.call('pairing.join', { code: words.join(' '), carrier: 'files', device })
  const asks = await fresh.call('pairing.carry', { message: (await old.call('pairing.carry', {})).send! })
  await old.call('pairing.carry', { message: asks.send! })
  await old.call('pairing.confirm', {})
  await fresh.call('pairing.confirm', {})
  for (let state = 'moving'; state !== 'done';) {
    const { send } = await old.call('pairing.carry', {})
    state = (await fresh.call('pairing.carry', { message: send! })).state
  }
}
