/** The check of inboxes: a persona that nobody has leaves an entry for itself, reads it and acknowledges it. */
import { randomBytes } from 'node:crypto'
import { formatBase64url } from '../../core/encoding/bytes.ts'
import { formatInboxPath, type InboxPath } from '../../relay/paths/inbox-path.ts'
import { CHECKED_APP, ONLY_BY_TOKEN } from './check-card.ts'
import { expectStatus, putDevice, type CheckedDevice } from './checked-device.ts'
import { Failure, type CheckedRelay } from './checked-relay.ts'
import type { Reply } from './outside.ts'

const ENTRY_BYTES = 115 // an id sealed to one device

export async function checkInbox(relay: CheckedRelay): Promise<string> {
  const device = await putDevice(relay)
  if (device === null) return ONLY_BY_TOKEN
  return relay.token === null ? await checkAsGuest(device) : await checkByRight(device)
}

/** A guest has no inbox. The refusal shows that the relay and each proxy on the way read the device token. */
async function checkAsGuest(device: CheckedDevice): Promise<string> {
  expectStatus(await post(device), 404, 'an entry for a guest')
  return 'an entry for a persona without an inbox was refused; --token-file would try one'
}

async function checkByRight(device: CheckedDevice): Promise<string> {
  expectStatus(await post(device), 202, 'an entry')
  const [n, ...more] = await numbersIn(device)
  if (n === undefined || more.length > 0) throw new Failure('the list does not have the entry that was left')
  const body = JSON.stringify({ app: CHECKED_APP, n: [n] })
  const acknowledged = await device.call({ method: 'POST', path: pathOf(device, 'ack'), body })
  expectStatus(acknowledged, 200, 'an acknowledgement')
  if ((await numbersIn(device)).length > 0) throw new Failure('the entry is listed after its acknowledgement')
  return 'an entry was left, listed and acknowledged'
}

function post(device: CheckedDevice): Promise<Reply> {
  const body = JSON.stringify({ app: CHECKED_APP, encId: formatBase64url(randomBytes(ENTRY_BYTES)) })
  return device.call({ method: 'POST', path: pathOf(device, 'entries'), body, isForInbox: true })
}

async function numbersIn(device: CheckedDevice): Promise<readonly number[]> {
  const list = await device.call({ method: 'GET', path: `${pathOf(device, 'entries')}?app=${CHECKED_APP}` })
  expectStatus(list, 200, 'a list')
  return (JSON.parse(list.text) as { entries: readonly { n: number }[] }).entries.map(({ n }) => n)
}

function pathOf({ persona }: CheckedDevice, part: InboxPath['part']): string {
  return `/${formatInboxPath({ persona, part })}`
}
