/** Vectors of status messages, with the result that a reader must get (docs/format.md, sections 2 to 7, 11 and 12). */
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { markedCompanions } from '../../src/core/companions.ts'
import type { Engine } from '../../src/core/engine.ts'
import { BlobError, type BlobErrorCode } from '../../src/core/errors.ts'
import { judgeStatus } from '../../src/core/verify.ts'
import { makeDevice, sodium } from '../support/made-persona.ts'
import { BLOB_CASES, CHAIN_CASES, TOKEN_CASES } from './blob-cases.ts'
import { DOCUMENT_CASES, NICKNAME_CASES } from './document-cases.ts'

export interface DecodedBlob {
  readonly personaId: string
  readonly epoch: number
  readonly seq: number
  readonly timeSec: number
  readonly prev: string
  readonly root: string
  readonly tableHash: string
  readonly deviceKeys: readonly string[]
  readonly names: readonly string[] | null
  /** Keys of the devices that the document marks as companions; absent if there are none. */
  readonly companions?: readonly string[]
  /** Whether the blob lists the device of `from`. */
  readonly listsSender: boolean
}

export interface StatusVector {
  readonly kind: 'status'
  readonly name: string
  readonly section: number
  readonly comment: string
  readonly text: string
  /** Key of the device that shows the text. */
  readonly from: string
  readonly expect: { readonly code: BlobErrorCode } | { readonly words: string; readonly blob: DecodedBlob }
}

/** Reads a text. @returns the result in the form of a vector */
export function judgeText(text: string, sender: string, engine: Engine): StatusVector['expect'] {
  try {
    const { words, blob } = judgeStatus(text, engine)
    if (blob === null) return { code: 'NO_TOKEN' }
    if (!blob.content.ok) return { code: blob.content.code }
    const deviceKeys = blob.deviceKeys.map(formatHex)
    const { epoch, seq, timeSec } = blob
    const hex = {
      personaId: formatHex(blob.personaId),
      prev: formatHex(blob.prev),
      root: formatHex(blob.root),
      tableHash: formatHex(blob.tableHash),
    }
    const listsSender = deviceKeys.includes(sender)
    const companions = [...markedCompanions(blob.content.document, deviceKeys)]
    const marked = companions.length === 0 ? {} : { companions }
    return {
      words,
      blob: { ...hex, epoch, seq, timeSec, deviceKeys, names: blob.content.names, ...marked, listsSender },
    }
  } catch (error) {
    if (error instanceof BlobError) return { code: error.code as BlobErrorCode }
    throw error
  }
}

/** Every vector of this kind. @throws when the code under test gives another result than the case */
export function statusVectors(): StatusVector[] {
  const from = makeDevice(0).key
  const cases = [...TOKEN_CASES, ...BLOB_CASES, ...CHAIN_CASES, ...DOCUMENT_CASES, ...NICKNAME_CASES]
  return cases.map(([name, section, code, comment, text]) => {
    const expect = judgeText(text, from, sodium)
    const judged = 'code' in expect ? expect.code : null
    if (judged !== code) throw new Error(`${name} should be ${code ?? 'good'}, but it is ${judged ?? 'good'}`)
    return { kind: 'status', name, section, comment, from, text, expect }
  })
}
