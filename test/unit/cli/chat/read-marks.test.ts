import { expect, test } from 'vitest'
import { MARK_PAUSE_MS, ReadMarks } from '../../../../src/cli/chat/read-marks.ts'
import { HandClock } from '../../../support/hand-clock.ts'

/** A chat whose ways take every mark. */
class Story {
  readonly clock = new HandClock()
  /** Marks that went alone. */
  readonly sent: string[] = []
  readonly marks = new ReadMarks(this.clock, () => this.send())

  send(): void {
    const { due } = this.marks
    if (due === null) return
    this.sent.push(due)
    this.marks.sent(due, true)
  }

  read(...ids: string[]): void {
    for (const id of ids) {
      this.marks.note(id)
      this.send()
    }
  }
}

test('the first mark goes at once, and those within the pause become one', () => {
  const story = new Story()
  story.read('a', 'b', 'c', 'd')
  expect(story.sent).toEqual(['a'])
  story.clock.turn(MARK_PAUSE_MS - 1)
  expect(story.sent).toEqual(['a'])
  story.clock.turn(1)
  expect(story.sent).toEqual(['a', 'd'])
  expect(story.clock.waits).toEqual([])
})

test('a line takes the mark that waits along, and no mark goes alone after it', () => {
  const story = new Story()
  story.read('a', 'b')
  expect(story.marks.waiting).toBe('b')
  story.marks.sent('b', false)
  expect(story.marks.waiting).toBeNull()
  story.clock.turn(MARK_PAUSE_MS)
  expect(story.sent).toEqual(['a'])
})

test('a mark that no way has taken waits on, and a newer one replaces it', () => {
  const story = new Story()
  story.marks.note('a')
  expect([story.marks.due, story.marks.due]).toEqual(['a', 'a'])
  story.marks.note('b')
  // The send of a mark ends after a newer line was read.
  story.marks.sent('a', false)
  expect(story.marks.waiting).toBe('b')
})

test('a chat that is left forgets its mark', () => {
  const story = new Story()
  story.read('a', 'b')
  story.marks.forget()
  story.clock.turn(MARK_PAUSE_MS)
  expect([story.sent, story.marks.waiting, story.clock.waits]).toEqual([['a'], null, []])
})
