/** The paths of objects and of personas at a relay (docs/relay.md, "Objects"). */
import { parseBase64url } from '../../core/encoding/bytes.ts'

/** An object: whoever has the id may fetch it. */
export interface ObjectTarget {
  /** PersonaID in upper-case hex. */
  readonly persona: string
  /** 32 bytes in base64url. */
  readonly id: string
}

const ID_BYTES = 32 // format: nobody finds an object by trying
const PERSONA = /^[0-9A-F]{64}$/

/** The path of an object, below the address of a relay. */
export function formatObjectPath({ persona, id }: ObjectTarget): string {
  return `store/${persona}/${id}`
}

/** Reads {@link formatObjectPath}. @returns null for any other path */
export function parseObjectPath(path: string): ObjectTarget | null {
  const [word, persona = '', id = '', ...rest] = path.split('/')
  const isObject = word === 'store' && rest.length === 0 && PERSONA.test(persona)
  return isObject && parseBase64url(id)?.length === ID_BYTES ? { persona, id } : null
}

/** The path of all that a relay has of a persona. @param persona PersonaID in upper-case hex */
export function formatPersonaPath(persona: string): string {
  return `persona/${persona}`
}

/** Reads {@link formatPersonaPath}. @returns null for any other path */
export function parsePersonaPath(path: string): string | null {
  const [word, persona = '', ...rest] = path.split('/')
  return word === 'persona' && rest.length === 0 && PERSONA.test(persona) ? persona : null
}
