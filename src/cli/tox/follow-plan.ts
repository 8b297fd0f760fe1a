/** Finds the devices that a profile lacks of people who are already friends in it (docs/format.md, section 10). */
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import type { Contact, ContactDevice, LookupResult } from '../../ipc/shapes/contact.ts'
import { MAX_TOX_NAME_BYTES } from '../../tox/save/savefile.ts'

/** A device of a followed contact. */
export interface FollowedDevice {
  contact: string
  personaId: string
  /** Nickname in the table. */
  device: string
  key: string
  state: ContactDevice['state']
}

export interface AddedDevice extends FollowedDevice {
  /** Name of the friend in the profile. */
  name: string
}

export interface WithheldDevice extends FollowedDevice {
  /**
   * `contested`: belongs to another contact, or shows another persona. `policy`: changes of this contact need the owner's decision.
   * `own-key`: it is the key of the profile itself. `declined`: the owner answered no.
   */
  reason: 'contested' | 'policy' | 'own-key' | 'declined'
}

export interface FollowPlan {
  readonly add: readonly AddedDevice[]
  readonly withheld: readonly WithheldDevice[]
  /** Still friends in the profile, but removed from their table. Only the user removes a friend. */
  readonly gone: readonly FollowedDevice[]
}

export interface ProfileFriends {
  /** ToxPk of the profile. */
  readonly ownKey: string
  /** Its owner's name, for the owner's other devices. */
  readonly ownName: string
  /** Every key in the friend list, also of records that clients skip. */
  readonly keys: ReadonlySet<string>
}

/**
 * Follows a contact if one of its confirmed devices is a friend here. So a stranger who only claims a friend's device adds nothing.
 * All other listed devices are added, also claimed ones: only seeing a device can confirm it.
 * @param found lookup results for the profile itself and each friend who accepted
 */
export function planFollow(friends: ProfileFriends, found: readonly LookupResult[]): FollowPlan {
  const followed = new Map<string, Contact>()
  const gone: FollowedDevice[] = []
  for (const { contact, device } of found) {
    if (contact?.personaId == null || device === null) continue
    if (device.state === 'confirmed') followed.set(contact.personaId, contact)
    else if (device.state === 'former' && device.key !== friends.ownKey) gone.push(deviceOf(contact, device))
  }
  const add: AddedDevice[] = []
  const withheld: WithheldDevice[] = []
  const taken = new Set(friends.keys)
  for (const contact of followed.values()) {
    const owner = contact.kind === 'own' ? friends.ownName : contact.name
    for (const device of [...contact.devices, ...contact.claims]) {
      if (taken.has(device.key) || (device.key === friends.ownKey && contact.kind === 'own')) continue
      const reason = reasonAgainst(contact, device, friends)
      const one = deviceOf(contact, device)
      if (reason === null) add.push({ ...one, name: friendName(owner, device.name) })
      else withheld.push({ ...one, reason })
      taken.add(device.key)
    }
  }
  return { add, withheld, gone }
}

function reasonAgainst(
  contact: Contact,
  device: ContactDevice,
  { ownKey }: ProfileFriends,
): WithheldDevice['reason'] | null {
  if (device.key === ownKey) return 'own-key'
  if (device.contested) return 'contested'
  return contact.policy === 'auto' ? null : 'policy'
}

function deviceOf(contact: Contact, device: ContactDevice): FollowedDevice {
  const { key, name, state } = device
  return { contact: contact.name, personaId: contact.personaId!, device: name, key, state }
}

/** Returns `Zoe (phone)`, at most MAX_TOX_NAME_BYTES of UTF-8. It cuts the person's name, never the device's. */
export function friendName(person: string, device: string): string {
  const suffix = ` (${device})`
  return `${fitName(person, MAX_TOX_NAME_BYTES - encodeUtf8(suffix).length)}${suffix}`
}

/** As much of a name as a profile can hold in so many bytes of UTF-8, without NUL, where clients cut. */
export function fitName(text: string, maxBytes: number): string {
  let name = ''
  for (const character of text.toWellFormed().replaceAll('\0', '')) {
    if (encodeUtf8(name + character).length > maxBytes) break
    name += character
  }
  return name.trimEnd()
}
