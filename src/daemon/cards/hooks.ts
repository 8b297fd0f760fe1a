/** Cards inside of the keeper's changes: what the change of a table, and an approval, mean for the own cards (docs/card.md, section 5). */
import { formatHex } from '../../core/encoding/bytes.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { KeeperOptions } from '../keeper/keeper.ts'
import type { State } from '../state/state.ts'
import { ownOf } from '../state/view.ts'
import { knownCards } from './kept/known.ts'
import { ownAppsNow, putOwnApps } from './own-record.ts'
import { CardReader } from './kept/read-card.ts'
import type { ApprovedEntry } from './kept/records.ts'
import { settleCards } from './sign-own.ts'
import { tagsOf } from './tags.ts'

export type CardHooks = Required<Pick<KeeperOptions, 'onOwnChanged' | 'onApproved'>> & { readonly reader: CardReader }

/** For the options of a keeper. They work from its first change on, also while it finishes what a crash interrupted. */
export function cardHooks(engine: CryptoEngine): CardHooks {
  const reader = new CardReader(engine)
  return {
    reader,
    onOwnChanged: (before, means) => settleCards(before, { ...means, reader }),
    onApproved: (key, state) => approveEntries(key, state, reader),
  }
}

/** The owner approves a device, and with it the keys that stand under its tag in the own cards now. Inside of a change. */
function approveEntries(device: string, state: State, reader: CardReader): void {
  const now = ownOf(state.records)
  if (now === null) return
  const record = ownAppsNow(now, state.records, state)
  const tags = tagsOf(device, record.reads, now.persona.root, state.engine)
  const { cards } = knownCards(record.personaId, state.records, reader)
  const found = [...cards.values()].flatMap((card) =>
    card.devices
      .filter(({ tag }) => tags.has(formatHex(tag)))
      .map(({ sig, enc }): ApprovedEntry => ({ app: card.app, device, sig: formatHex(sig), enc: formatHex(enc) })),
  )
  if (found.length === 0) return
  const others = record.approved.filter(
    (entry) => !found.some(({ app }) => app === entry.app && entry.device === device),
  )
  putOwnApps({ ...record, approved: [...others, ...found] }, state)
}
