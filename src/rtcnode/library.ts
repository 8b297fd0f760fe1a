/** The parts of node-datachannel that personad-rtc uses. The package is optional, so its own types may be missing when this is compiled. */
import { RtcError } from './errors.ts'
import { LIBRARY } from './installed.ts'

export interface LibraryChannel {
  close(): void
  isOpen(): boolean
  sendMessageBinary(message: Uint8Array): boolean
  bufferedAmount(): number
  onOpen(run: () => void): void
  onClosed(run: () => void): void
  onError(run: (reason: string) => void): void
  onMessage(run: (message: string | Uint8Array | ArrayBuffer) => void): void
}

export interface LibraryConnection {
  close(): void
  setRemoteDescription(sdp: string, type: 'offer' | 'answer'): void
  localDescription(): { readonly sdp: string } | null
  remoteFingerprint(): { readonly algorithm: string; readonly value: string }
  createDataChannel(label: string): LibraryChannel
  onDataChannel(run: (channel: LibraryChannel) => void): void
  onStateChange(run: (state: string) => void): void
  onGatheringStateChange(run: (state: string) => void): void
}

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
