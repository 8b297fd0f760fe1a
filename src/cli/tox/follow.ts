/** `persona tox follow`: adds the other devices of friends to a profile, so that an unmodified client connects to them. */
import { concatBytes, encodeUtf8, formatHex, parseHex } from '../../core/encoding/bytes.ts'
import type { Client } from '../../ipc/client.ts'
import type { LookupResult } from '../../ipc/shapes/contact.ts'
import { splitRecords } from '../../tox/save/edit.ts'
import { encodeFriend, readFriends } from '../../tox/save/friends.ts'
import { writeProfile } from '../../tox/profile/profile-file.ts'
import { readName, SECTION_FRIENDS, sectionData, withSection, type ToxSave } from '../../tox/save/savefile.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import {
  planFollow,
  type AddedDevice,
  type FollowedDevice,
  type FollowPlan,
  type WithheldDevice,
} from './follow-plan.ts'
import { countOf } from '../io/layout.ts'
import { profileOpener, type OpenProfile } from './open.ts'
import { askLine } from '../io/prompt.ts'

export interface FollowOptions {
  readonly ask?: true
  readonly force?: true
  readonly passphraseFile?: string
}

/** Printed by `--json`. */
export interface FollowReport {
  file: string
  /** ToxPk of the profile. */
  key: string
  added: AddedDevice[]
  withheld: WithheldDevice[]
  gone: FollowedDevice[]
  /** False if there was nothing to add. */
  written: boolean
  backup: string | null
}

const LOOKUPS_AT_ONCE = 32 // sanity: the daemon runs this many calls of one connection at a time

export async function follow(context: Context, file: string, options: FollowOptions): Promise<number> {
  const open = profileOpener({ file: options.passphraseFile, option: '--passphrase-file' })
  const opened = await open(file)
  const plan = await withDaemon(context, async (client) => await planFor(client, opened))
  const { add, withheld } = options.ask === true ? await askEach(plan) : plan
  const backup = add.length === 0 ? null : await write(context, opened, add, options)
  const report: FollowReport = {
    file,
    key: opened.key,
    added: [...add],
    withheld: [...withheld],
    gone: [...plan.gone],
    written: backup !== null,
    backup,
  }
  print(context, report, formatFollowed(report))
  return EXIT_DONE
}

async function planFor(client: Client, { profile, key }: OpenProfile): Promise<FollowPlan> {
  const { save } = profile
  const accepted = readFriends(save)
    .friends.filter((friend) => friend.isConfirmed)
    .map((friend) => formatHex(friend.publicKey))
  const asked = [key, ...accepted]
  const found: LookupResult[] = []
  for (let at = 0; at < asked.length; at += LOOKUPS_AT_ONCE) {
    const some = asked.slice(at, at + LOOKUPS_AT_ONCE)
    found.push(...(await Promise.all(some.map((query) => client.call('lookup', { query })))))
  }
  const keys = new Set(splitRecords(save).map((record) => formatHex(record.subarray(1, 33))))
  return planFollow({ ownKey: key, ownName: readName(save).text || 'me', keys }, found)
}

async function askEach(plan: FollowPlan): Promise<Pick<FollowPlan, 'add' | 'withheld'>> {
  const add: AddedDevice[] = []
  const withheld = [...plan.withheld]
  for (const device of plan.add) {
    const answer = await askLine(`Add ${describe(device)} as a friend? [y/N] `)
    if (/^y(es)?$/i.test(answer.trim())) add.push(device)
    else {
      const { name: _, ...declined } = device
      withheld.push({ ...declined, reason: 'declined' })
    }
  }
  return { add, withheld }
}

async function write(
  context: Context,
  { profile, access }: OpenProfile,
  add: readonly AddedDevice[],
  options: FollowOptions,
): Promise<string> {
  const force = options.force === undefined ? {} : { force: true }
  return await writeProfile(profile, withDevices(profile.save, add), { ...access, ...force, nowSec: context.nowSec })
}

/** Writes only key and name. The client fills in the rest when it first connects. */
function withDevices(save: ToxSave, add: readonly AddedDevice[]): ToxSave {
  const records = add.map(({ key, name }) => {
    const publicKey = parseHex(key) ?? new Uint8Array()
    return encodeFriend({ publicKey, name: encodeUtf8(name), statusMessage: new Uint8Array(), lastSeenSec: 0 })
  })
  const present = sectionData(save, SECTION_FRIENDS) ?? new Uint8Array()
  return withSection(save, SECTION_FRIENDS, concatBytes(present, ...records))
}

const REASONS: Readonly<Record<WithheldDevice['reason'], string>> = {
  contested: 'it belongs to another contact, or shows another persona',
  policy: 'changes of this contact need your decision',
  'own-key': 'it is the key of this profile itself',
  declined: 'you answered no',
}

export function formatFollowed(report: FollowReport): string[] {
  const { added, withheld, gone, backup } = report
  const file = escapeText(report.file)
  const lines = [
    added.length === 0
      ? `${file} already has all devices of your contacts; it was not changed`
      : `added ${countOf(added.length, 'device')} as friends in ${file}:`,
    ...added.map((device) => `  ${describe(device)}, named ${escapeText(device.name)}`),
    ...withheld.map((device) => `not added: ${describe(device)}: ${REASONS[device.reason]}`),
    ...gone.map((device) => `removed by its owner, but still a friend in ${file}: ${describe(device)}`),
  ]
  if (backup === null) return lines
  return [
    ...lines,
    `backup: ${escapeText(backup)}`,
    'your Tox client connects to them the next time it opens this profile',
  ]
}

function describe({ contact, personaId, device, key }: FollowedDevice): string {
  return `${showName(device, key)} of ${showName(contact, personaId)}`
}
