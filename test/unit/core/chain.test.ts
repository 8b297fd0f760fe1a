import { describe, expect, it } from 'vitest'
import { decodeBlob } from '../../../src/core/blob.ts'
import { chainPositions, chainRoot, inceptionMessage, LINK_BYTES, linkOf } from '../../../src/core/chain.ts'
import { isZero } from '../../../src/core/encoding/bytes.ts'
import { ENGINES, makeBlob, makePersona, sodium } from '../../support/made-persona.ts'

const ada = makePersona(1)
const eve = makePersona(2)
const root = ada.positions[0]!.next

describe('the key chain', () => {
  it('has the same root from every epoch, on both engines', () => {
    let computed = 0
    for (const engine of ENGINES) {
      for (const position of ada.positions) {
        expect(chainRoot(position, engine)).toEqual(root)
        computed++
      }
    }
    expect(computed).toBe(2 * 17)
  })

  it('gets another root by any change of a key, a link or a commitment', () => {
    let changed = 0
    for (const { signingKey, links, next, ...rest } of ada.positions.slice(1)) {
      const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at, bytes[at]! ^ 1)
      const forgeries = [
        { signingKey: flip(signingKey, 0), links, next },
        { signingKey, links, next: flip(next, 31) },
        ...Array.from({ length: rest.epoch - 1 }, (_, i) => ({ signingKey, links: flip(links, i * LINK_BYTES), next })),
      ]
      for (const forgery of forgeries) {
        expect(chainRoot({ ...rest, ...forgery }, sodium)).not.toEqual(root)
        changed++
      }
    }
    expect(changed).toBe(16 * 2 + (16 * 15) / 2)
  })

  it('does not let a thief with the current key and all data of a device choose the next key', () => {
    for (const thiefAt of [1, 5, 15]) {
      const known = ada.positions[thiefAt]!
      const links = new Uint8Array([...known.links, ...linkOf(known.signingKey, sodium)])
      const forged = { ...known, epoch: thiefAt + 1, links, signingKey: eve.positions[2]!.signingKey }
      for (const next of [known.next, eve.positions[2]!.next, new Uint8Array(32)]) {
        expect(chainRoot({ ...forged, next }, sodium)).not.toEqual(root)
      }
    }
  })

  it('has a zero commitment at epoch 16 and only there', () => {
    expect(ada.positions.map(({ next }) => isZero(next))).toEqual([...Array<boolean>(16).fill(false), true])
  })

  it('shows h_1 .. h_(e-1), and from epoch 1 on the inception signature', () => {
    for (const { epoch, links, inception } of ada.positions) {
      expect(links.length).toBe(16 * Math.max(0, epoch - 1))
      expect(inception?.length).toBe(epoch === 0 ? undefined : 64)
      for (let i = 1; i < epoch; i++) {
        expect(links.subarray(16 * (i - 1), 16 * i)).toEqual(linkOf(ada.positions[i]!.signingKey, sodium))
      }
    }
  })

  it('needs exactly 17 keys', () => {
    const keys = ada.positions.map(({ signingKey }) => signingKey)
    for (const list of [keys.slice(1), [...keys, keys[0]!], []]) {
      expect(() => chainPositions(list, sodium, () => new Uint8Array(64))).toThrow(RangeError)
    }
  })

  it('survives the encoding as a blob', () => {
    for (const epoch of [0, 1, 2, 9, 16]) {
      const decoded = decodeBlob(makeBlob(ada, { epoch }))
      expect(chainRoot(decoded, sodium)).toEqual(root)
      expect(decoded.signingKey).toEqual(ada.positions[epoch]!.signingKey)
    }
  })

  it('has one commitment by K_0, over K_0 and c_0', () => {
    const message = inceptionMessage(ada.positions[0]!.personaId, root)
    for (const engine of ENGINES) {
      expect(engine.verify(ada.positions[9]!.inception!, message, ada.positions[0]!.personaId)).toBe(true)
    }
  })
})
