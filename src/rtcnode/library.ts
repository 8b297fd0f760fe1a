/** The parts of node-datachannel that personad-rtc uses. The package is optional, so its own types may be missing when this is compiled. */
import type { LibraryConnection } from '../channel/rtc/library.ts'
import { RtcError } from './errors.ts'
import { LIBRARY } from './installed.ts'

export interface LibrarySettings {
  readonly iceServers: readonly string[]
  readonly bindAddress?: string
  readonly maxMessageSize: number
}

export interface Library {
  readonly PeerConnection: new (name: string, settings: LibrarySettings) => LibraryConnection
}

/** @throws {RtcError} RTC_LIBRARY */
export async function loadLibrary(): Promise<Library> {
  try {
    return (await import(LIBRARY)) as Library
  } catch (cause) {
    const message = `${LIBRARY} cannot be loaded; install personad again with its optional packages`
    throw new RtcError('RTC_LIBRARY', message, { cause })
  }
}
