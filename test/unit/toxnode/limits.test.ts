import { expect, it } from 'vitest'
import { FriendLimits, type FriendReport } from '../../../src/toxnode/limits.ts'

const status = (key: string, text: string): FriendReport => ({ type: 'status', key, text })
const support = (key: string): FriendReport => ({ type: 'packet', key, packet: 'support', text: '' })

it('a friend who floods the node is cut off from the daemon, keeps the last word, and delays nobody else', () => {
  const sent: FriendReport[] = []
  let nowMs = 0
  const limits = new FriendLimits(
    (report) => sent.push(report),
    () => nowMs,
  )
  for (let i = 0; i < 6000; i++) {
    limits.push(support('eve'))
    limits.push(status('eve', `text ${i}`))
    nowMs++
  }
  expect(sent.length).toBeLessThanOrEqual(32 + 6)
  limits.push({ type: 'friend', key: 'ann', connection: 'udp' })
  limits.push(status('ann', 'hi'))
  expect(sent.slice(-2)).toStrictEqual([
    { type: 'friend', key: 'ann', connection: 'udp' },
    { type: 'status', key: 'ann', text: 'hi' },
  ])
  nowMs += 3000
  limits.release()
  expect(sent).toContainEqual(status('eve', 'text 5999'))
  const { length } = sent
  nowMs += 3000
  limits.release()
  expect(sent).toHaveLength(length)
})

it('a friend who changes something now and then is passed on at once, in order', () => {
  const sent: FriendReport[] = []
  let nowMs = 0
  const limits = new FriendLimits(
    (report) => sent.push(report),
    () => nowMs,
  )
  const texts = Array.from({ length: 100 }, (_, i) => `text ${i}`)
  for (const text of texts) {
    limits.push(status('bob', text))
    nowMs += 1000
  }
  expect(sent).toStrictEqual(texts.map((text) => status('bob', text)))
})
