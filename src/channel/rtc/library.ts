/** The parts of WebRTC that a connection uses, by the names of node-datachannel. A page has the same over the RTCPeerConnection of its browser. */

export interface LibraryChannel {
  close(): void
  isOpen(): boolean
  sendMessageBinary(message: Uint8Array): unknown
  bufferedAmount(): number
  onOpen(run: () => void): void
  onClosed(run: () => void): void
  onError(run: () => void): void
  onMessage(run: (message: string | Uint8Array | ArrayBuffer) => void): void
}

export interface LibraryConnection {
  close(): void
  setRemoteDescription(sdp: string, type: 'offer' | 'answer'): void
  localDescription(): { readonly sdp: string } | null
  /** @returns a value in hex, with or without colons */
  remoteFingerprint(): { readonly algorithm: string; readonly value: string }
  createDataChannel(label: string): LibraryChannel
  onDataChannel(run: (channel: LibraryChannel) => void): void
  onStateChange(run: (state: string) => void): void
  onGatheringStateChange(run: (state: string) => void): void
}
