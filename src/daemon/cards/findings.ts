/** What `status` and `doctor` say about cards (docs/ipc.md, section 3). */
import { isExpired, type VerifiedCard } from '../../card/verify.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { Due } from './own-due.ts'
import type { Overruled, Places } from './own-places.ts'
import { usedApps } from './own-record.ts'
import { knownCards } from './kept/known.ts'
import type { CardReader } from './kept/read-card.ts'
import type { LostCard } from './stores.ts'
import { CARDS } from './kept/records.ts'
import { tagsOf } from './tags.ts'

/** The cards of this device that the owner should know of. */
export function ownFindings(
  waiting: readonly { readonly app: string; readonly due: Due }[],
  isFull: (app: string) => boolean,
  changed: readonly Overruled[],
): Finding[] {
  const findings: Finding[] = changed.map(moved)
  const late: string[] = []
  for (const { app, due } of waiting) {
    if (due === 'asks') findings.push(takenOut(app))
    else if (isFull(app)) findings.push(full(app))
    else late.push(app)
  }
  if (late.length === 0) return findings
  const message = `your card for ${late.join(', ')} is due to be signed, and cannot be signed now`
  const hint =
    'unlock the key, or see what else keeps this device from signing; peers refuse a card that is a month old'
  return [...findings, notice('CARD_WAITS', message, hint)]
}

function takenOut(app: string): Finding {
  const message = `another of your devices, or somebody who has its key, took this device out of your card for ${app}`
  const hint = 'put it back if you trust your devices; rotate the key if one of them was stolen'
  return problem('CARD_TAKEN_OUT', message, hint, { app })
}

const PURPOSE: Readonly<Record<Places, string>> = {
  inboxes: 'where others leave messages for you',
  stores: 'where your card and your messages lie',
}

function moved({ app, places, urls }: Overruled): Finding {
  const at = urls.length === 0 ? 'nowhere' : urls.join(', ')
  const message = `another of your devices, or somebody who has its key, changed ${PURPOSE[places]} for ${app}: it is ${at} now`
  const hint = 'name the right relays here, also if these are right; rotate the key if a device was stolen'
  return notice(places === 'inboxes' ? 'CARD_INBOXES_CHANGED' : 'CARD_STORES_CHANGED', message, hint, { app })
}

function full(app: string): Finding {
  const message = `your card for ${app} has no room for this device: somebody may have filled it`
  return problem('CARD_FULL', message, 'rotate the key: the new card lists only devices that you approved', { app })
}

/** A relay that says so and does not do it, or was set back by its operator. */
export function lostCard({ url, app }: LostCard): Finding {
  const message = `${url} took your card for ${app}, and did not give it when it was read back: contacts may see an older one there`
  const hint = 'the daemon puts it there again each hour; name another relay if this stays'
  return notice('CARD_NOT_KEPT', message, hint, { app, url })
}

/** For `doctor` alone: entries that a rotation would leave out, and cards of contacts that are over. */
export async function cardChecks(keeper: Keeper, reader: CardReader): Promise<Finding[]> {
  const findings = [...unapproved(keeper, reader), ...(await overdue(keeper, reader))]
  const count = usedApps(keeper.onDisk)?.record.apps.length ?? 0
  return count > 0 && findings.length === 0
    ? [ok('CARDS', `this device stands in your cards for ${count === 1 ? '1 app' : `${count} apps`}`)]
    : findings
}

/** Devices of the table whose keys for apps nobody approved here. */
function unapproved(keeper: Keeper, reader: CardReader): Finding[] {
  const { onDisk, engine } = keeper
  const used = usedApps(onDisk)
  if (used === null) return []
  const { now, record } = used
  const cards = [...knownCards(record.personaId, onDisk, reader).cards.values()]
  const others = now.persona.devices.filter(({ key }) => !now.own.localDevices.includes(key))
  return others.flatMap(({ key, name }) => {
    const tags = tagsOf(key, record.reads, now.persona.root, engine)
    const isApproved = (card: VerifiedCard, sig: Uint8Array): boolean =>
      record.approved.some((entry) => entry.app === card.app && entry.device === key && entry.sig === formatHex(sig))
    const apps = cards
      .filter((card) => card.devices.some(({ tag, sig }) => tags.has(formatHex(tag)) && !isApproved(card, sig)))
      .map(({ app }) => app)
    return apps.length === 0 ? [] : [unapprovedEntry(name, apps)]
  })
}

function unapprovedEntry(device: string, apps: readonly string[]): Finding {
  const message = `${device} has keys for ${apps.join(', ')} that were not approved here: a rotation on this device would leave them out`
  return notice('CARD_UNAPPROVED', message, 'approve the device if you use it for that', { device })
}

/** Contacts whose devices have signed no card for a month. */
async function overdue({ onDisk, nowSec }: Keeper, reader: CardReader): Promise<Finding[]> {
  const findings: Finding[] = []
  for await (const [personaId] of onDisk.of(CARDS).iterate()) {
    const name = onDisk.personas.get(personaId)?.entry?.name
    if (name === undefined) continue
    const over = [...knownCards(personaId, onDisk, reader).cards.values()].filter((card) => isExpired(card, nowSec))
    if (over.length > 0) findings.push(expired(name, over))
  }
  return findings
}

function expired(contact: string, cards: readonly VerifiedCard[]): Finding {
  const apps = cards.map(({ app }) => app).join(', ')
  const message = `the card of ${contact} for ${apps} is over: their devices have signed none for 30 days, or it did not reach this one`
  return notice('CARD_EXPIRED', message, 'nothing new is agreed with them until a newer card comes', { contact })
}
