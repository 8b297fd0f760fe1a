import { describe, expect, it } from 'vitest'
import { bytesOfLatin1, decodeBencode, latin1 } from '../../../src/dht/bencode.ts'
import { PacketError } from '../../../src/dht/errors.ts'
import { formatNodes, parseNodes } from '../../../src/dht/address.ts'
import { decodeMessage, encodeQuery, MAX_PACKET_BYTES, withTransaction } from '../../../src/dht/message.ts'
import { signValue } from '../../support/dht-net.ts'

const ID = 'i'.repeat(20)
const OWN_ID = bytesOfLatin1('o'.repeat(20))
const TRANSACTION = bytesOfLatin1('tttt')
const answer = (body: string): string => `d1:rd2:id20:${ID}${body}e1:t4:tttt1:y1:re`

function codeOf(text: string): string | null {
  try {
    decodeMessage(bytesOfLatin1(text))
    return null
  } catch (error) {
    if (error instanceof PacketError) return error.code
    throw error
  }
}

describe('a query', () => {
  it('has the bytes of BEP 5, BEP 43 and BEP 44', () => {
    const target = bytesOfLatin1('T'.repeat(20))
    const text = (query: Parameters<typeof encodeQuery>[0]): string => latin1(encodeQuery(query, TRANSACTION, OWN_ID))
    const own = `2:id20:${'o'.repeat(20)}`
    expect(text({ kind: 'get', target })).toBe(
      `d1:ad${own}6:target20:${'T'.repeat(20)}e1:q3:get2:roi1e1:t4:tttt1:y1:qe`,
    )
    expect(text({ kind: 'find_node', target })).toBe(
      `d1:ad${own}6:target20:${'T'.repeat(20)}e1:q9:find_node2:roi1e1:t4:tttt1:y1:qe`,
    )
    const signed = signValue('ada', 2n ** 63n - 1n, bytesOfLatin1('hello'), bytesOfLatin1('s'))
    const put = text({ kind: 'put', token: bytesOfLatin1('tok'), signed })
    expect(put).toBe(
      `d1:ad${own}1:k32:${latin1(signed.publicKey)}4:salt1:s3:seqi9223372036854775807e3:sig64:${latin1(signed.signature)}` +
        '5:token3:tok1:v5:helloe1:q3:put2:roi1e1:t4:tttt1:y1:qe',
    )
    const unsalted = text({ kind: 'put', token: bytesOfLatin1('tok'), signed: { ...signed, salt: new Uint8Array() } })
    expect(unsalted).not.toContain('4:salt')
  })

  it('that was encoded for one node is the same for another but for its transaction', () => {
    const signed = signValue('ada', 5n, bytesOfLatin1('hello'), bytesOfLatin1('s'))
    const [target, other] = [bytesOfLatin1('T'.repeat(20)), bytesOfLatin1('\u0000\u00ffab')]
    const queries = [
      { kind: 'get', target },
      { kind: 'find_node', target },
      { kind: 'put', token: TRANSACTION, signed },
    ] as const
    for (const query of queries) {
      const first = encodeQuery(query, TRANSACTION, OWN_ID)
      expect(withTransaction(first, other)).toEqual(encodeQuery(query, other, OWN_ID))
      expect(first).toEqual(encodeQuery(query, TRANSACTION, OWN_ID))
    }
    expect(queries).toHaveLength(3)
  })
})

describe('an answer', () => {
  it('gives node, nodes, token and value, and ignores what this client does not use', () => {
    const node = { id: bytesOfLatin1('n'.repeat(20)), host: '192.0.2.7', port: 6881 }
    const value = `1:k32:${'k'.repeat(32)}5:nodes26:${latin1(formatNodes([node]))}6:nodes60:1:pi1e3:seqi7e3:sig64:${'s'.repeat(64)}5:token2:to1:vli01eee`
    const message = decodeMessage(
      bytesOfLatin1(`d2:ip6:abcdef1:rd2:id20:${ID}${value.slice(0, -1)}e1:t4:tttt1:v4:LT021:y1:re`),
    )
    expect(message).toEqual({
      kind: 'answer',
      transaction: TRANSACTION,
      nodeId: bytesOfLatin1(ID),
      nodes: [node],
      token: bytesOfLatin1('to'),
      value: {
        publicKey: bytesOfLatin1('k'.repeat(32)),
        signature: bytesOfLatin1('s'.repeat(64)),
        seq: 7n,
        bencoded: bytesOfLatin1('li01ee'),
      },
    })
  })

  it('without a part of a value has no value, and a token of a wrong size is none', () => {
    for (const body of [
      '',
      '1:k32:' + 'k'.repeat(32),
      '3:seqi7e',
      '5:token0:',
      `5:token129:${'t'.repeat(129)}`,
      '1:vi1e',
    ]) {
      expect(decodeMessage(bytesOfLatin1(answer(body))), body).toMatchObject({ value: null, token: null, nodes: null })
    }
  })

  it('takes at most 32 nodes, and none with port 0', () => {
    const node = { id: bytesOfLatin1('n'.repeat(20)), host: '192.0.2.7', port: 1 }
    for (const [count, taken] of [
      [32, 32],
      [33, 32],
      [0, 0],
    ] as const) {
      const nodes = latin1(formatNodes(Array.from({ length: count }, () => node)))
      const message = decodeMessage(bytesOfLatin1(answer(`5:nodes${nodes.length}:${nodes}`)))
      expect(message).toMatchObject({ nodes: { length: taken } })
    }
    expect(parseNodes(formatNodes([{ ...node, port: 0 }]))).toEqual([])
    expect(parseNodes(new Uint8Array(27))).toBeNull()
    expect(parseNodes(formatNodes([node]))).toEqual([node])
  })

  it('of a wrong shape is refused', () => {
    const refused = [
      'le',
      'i1e',
      'de',
      `d1:rd2:id20:${ID}e1:t4:tttte`,
      `d1:rd2:id20:${ID}e1:t2:tt1:y1:re`,
      `d1:rd2:id20:${ID}e1:t5:ttttt1:y1:re`,
      `d1:rd2:id20:${ID}e1:ti1e1:y1:re`,
      `d1:rd2:id20:${ID}e1:t4:tttt1:y1:xe`,
      'd1:rd2:id19:iiiiiiiiiiiiiiiiiiie1:t4:tttt1:y1:re',
      'd1:rle1:t4:tttt1:y1:re',
      'd1:t4:tttt1:y1:re',
      answer('5:nodes25:' + 'n'.repeat(25)),
      answer('5:nodesi1e'),
      'd1:ele1:t4:tttt1:y1:ee',
      'd1:eli203ee1:t4:tttt1:y1:ee',
      'd1:el3:203i203ee1:t4:tttt1:y1:ee',
    ]
    for (const text of refused) expect(codeOf(text), text).toBe('MESSAGE_SHAPE')
    expect(refused.length).toBe(16)
  })

  it('of more than 2048 bytes is refused unread', () => {
    const fill = (length: number): string => answer(`1:x${length}:${'x'.repeat(length)}`)
    const most = MAX_PACKET_BYTES - fill(1000).length + 1000
    expect(codeOf(fill(most))).toBeNull()
    expect(codeOf(fill(most + 1))).toBe('BENCODE_TOO_LARGE')
  })
})

describe('other messages', () => {
  it('are errors, whose text is printable and short, and queries, which nobody reads', () => {
    const error = (text: string): unknown =>
      decodeMessage(bytesOfLatin1(`d1:eli302e${text.length}:${text}e1:t4:tttt1:y1:ee`))
    expect(error('seq \x1b[31m\xff')).toMatchObject({ kind: 'error', code: 302, text: 'seq ?[31m?' })
    expect((error('e'.repeat(300)) as { readonly text: string }).text).toHaveLength(200)
    expect(decodeMessage(bytesOfLatin1('d1:ai1e1:qi1e1:y1:qe'))).toEqual({ kind: 'query' })
    expect(() => decodeBencode(bytesOfLatin1('d1:y1:q'))).toThrow(PacketError)
  })
})
