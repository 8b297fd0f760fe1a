/** PersonaID in upper-case hex. */
export type PersonaId = string
