/** The settings of personad-rtc, from the section `net` of the configuration. */

export interface RtcSettings {
  /** STUN and TURN servers as URLs, such as `stun:stun.example:3478`. */
  readonly ice: readonly string[]
  /** The address of this machine by which connections go; null for all. */
  readonly address: string | null
}

export const MAX_ICE_SERVERS = 8 // sanity: each is asked before an offer leaves
export const MAX_ICE_CHARS = 256 // sanity: a host, a user and a password
export const ADDRESS: RegExp = /^[0-9a-fA-F.:]{2,45}$/ // sanity: of the form of IPv4 or IPv6; the system says whether it has it
export const ICE_URL: RegExp = new RegExp(String.raw`^(?:stun|turns?):[\x21-\x7e]{1,${MAX_ICE_CHARS}}$`)
