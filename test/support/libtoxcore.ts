/** Asks Debian's libtoxcore to check what we write: in a child process, offline. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { formatHex, parseHex } from '../../src/core/encoding/bytes.ts'

export interface LibtoxRequest {
  readonly operation: 'load' | 'confer' | 'encrypt' | 'decrypt'
  /** hex */
  readonly bytes: string
  /** For `confer`: the title of the conference */
  readonly passphrase: string
}

/** The library's report about a profile it loaded; texts and keys as upper-case hex. */
export interface LibtoxProfile {
  /** TOX_ERR_NEW: 0 good, 8 encrypted, 9 bad format */
  readonly error: number
  readonly isNull: boolean
  readonly publicKey: string
  readonly address: string
  readonly name: string
  readonly statusMessage: string
  readonly friends: readonly {
    readonly publicKey: string
    readonly name: string
    readonly statusMessage: string
    readonly lastSeenSec: number
  }[]
  /** The profile as the library saves it */
  readonly resaved: string
}

export function loadInLibtoxcore(save: Uint8Array): LibtoxProfile {
  return ask('load', save, '') as LibtoxProfile
}

/** The profile as the library saves it after opening a conference with this title. */
export function conferInLibtoxcore(save: Uint8Array, title: string): LibtoxProfile {
  return ask('confer', save, title) as LibtoxProfile
}

/** @returns null if the library refuses */
export function passInLibtoxcore(
  operation: 'encrypt' | 'decrypt',
  bytes: Uint8Array,
  passphrase: string,
): Uint8Array | null {
  const answer = ask(operation, bytes, passphrase)
  return typeof answer === 'string' ? parseHex(answer) : null
}

/** Why this machine cannot run the library; null if it can. */
export function libtoxcoreAbsence(): string | null {
  try {
    passInLibtoxcore('encrypt', Uint8Array.of(0), 'probe')
    return null
  } catch (error) {
    return `libtoxcore2 or koffi is not usable here: ${error instanceof Error ? error.message : String(error)}`
  }
}

function ask(operation: LibtoxRequest['operation'], bytes: Uint8Array, passphrase: string): unknown {
  const child = fileURLToPath(new URL('libtoxcore-child.ts', import.meta.url))
  const request: LibtoxRequest = { operation, bytes: formatHex(bytes), passphrase }
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [child], {
    input: JSON.stringify(request),
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  })
  if (status === 0) return JSON.parse(stdout) as unknown
  throw new Error(`the child ended with ${signal ?? status}: ${stderr.trim().split('\n').slice(0, 6).join(' | ')}`)
}
