/** Places of cards at a relay, and the paths that name them (docs/relay.md, "Cards"). */
import { isAppName } from '../../core/encoding/app-name.ts'
import { parseBase64url } from '../../core/encoding/bytes.ts'

/** The place that friends can compute: 16 bytes in base64url (docs/card.md, section 6). */
export interface HiddenPlace {
  readonly at: string
}

/** The place that everybody finds, of a persona who wants that. */
export interface PublicPlace {
  /** PersonaID in upper-case hex. */
  readonly persona: string
  readonly app: string
}

export type CardPlace = HiddenPlace | PublicPlace

const AT_BYTES = 16 // format: docs/card.md, section 6

/** The path of a place, below the address of a relay. */
export function cardPath(place: CardPlace): string {
  return 'at' in place ? `card/${place.at}` : `card/${place.persona}/${place.app}`
}

/** Reads {@link cardPath}. @returns null for any other path */
export function parseCardPath(path: string): CardPlace | null {
  const [word, name = '', app, ...rest] = path.split('/')
  if (word !== 'card' || rest.length > 0) return null
  if (app === undefined) return parseBase64url(name)?.length === AT_BYTES ? { at: name } : null
  return /^[0-9A-F]{64}$/.test(name) && isAppName(app) ? { persona: name, app } : null
}
