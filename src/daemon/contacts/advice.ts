/** Advice for a Tox client: what to do with each device of a contact (docs/ipc.md, section 3, contact.devices). */
import type { Contact, ContactDevice } from '../../ipc/shapes/contact.ts'
import type { Advice, AdvisedDevice, ContactDevices } from '../../ipc/shapes/advice.ts'

/** One client and one contact. */
interface Case {
  readonly contact: Contact
  /** The client's friends; null if it did not give them. */
  readonly known: ReadonlySet<string> | null
  readonly sendTo: string | null
  /** A confirmed device is among the friends. A persona that only claims a friend's device gets none of its devices added. */
  readonly isFriend: boolean
}

/** @param known ToxPks in the client's friend list, and its own; null if it does not give them */
export function adviseOn(contact: Contact, known: ReadonlySet<string> | null): ContactDevices {
  const { kind, name, personaId, blocked, active, devices, claims, others } = contact
  const sendTo = devices.find((device) => !device.companion && known?.has(device.key) !== false)?.key ?? null
  const isFriend = known !== null && devices.some(({ key }) => known.has(key))
  const here: Case = { contact, known, sendTo, isFriend }
  const advised = [...devices, ...claims, ...others].map((device) => adviseOnDevice(device, here))
  return { kind, name, personaId, blocked, active, sendTo, devices: advised }
}

function adviseOnDevice(device: ContactDevice, here: Case): AdvisedDevice {
  const { name, key, state, seenAtSec } = device
  const advice = adviceFor(device, here)
  const says = inWords(advice, device, here)
  return { name, key, state, seenAtSec, known: here.known?.has(key) ?? null, advice, says }
}

function adviceFor(device: ContactDevice, { contact, known, sendTo, isFriend }: Case): Advice {
  if (contact.blocked) return 'avoid'
  if (device.state === 'former' || device.state === 'asserted' || device.contested) return 'avoid'
  if (device.key === sendTo) return 'send'
  const isClaim = device.state === 'claimed'
  if (known === null || known.has(device.key)) return isClaim ? 'wait' : 'keep'
  // Nobody chats with a companion, and the daemons add its friends.
  if (device.companion) return isClaim ? 'wait' : 'keep'
  if (isFriend && contact.policy === 'auto') return 'add'
  return isClaim && !isFriend ? 'wait' : 'ask'
}

function inWords(advice: Advice, device: ContactDevice, { contact, sendTo }: Case): string {
  const { key, state } = device
  const claim = state === 'claimed' ? '; it has not shown itself that it belongs here: send nothing there before' : ''
  switch (advice) {
    case 'send':
      return `message goes to ${key}`
    case 'keep':
      return device.companion ? 'same person: does not chat' : 'same person: show it merged, send nothing there'
    case 'add':
      return `add ToxPk ${key}${key === contact.active ? `; messages go there from then on` : claim}`
    case 'ask':
      return `ask the user whether to add ToxPk ${key}${claim}`
    case 'wait':
      return 'listed by this person, but not shown by the device itself: send nothing there for this person'
    case 'avoid':
      return contact.blocked ? 'blocked by the user: do not use' : whyNot(device, sendTo)
  }
}

function whyNot({ state }: ContactDevice, sendTo: string | null): string {
  if (state === 'former') return `former: do not use${sendTo === null ? '' : `; message goes to ${sendTo}`}`
  if (state === 'asserted') return 'shows the table of this person, which does not list it: do not use'
  return 'contested: known as somebody else, or shows another persona: do not use'
}
