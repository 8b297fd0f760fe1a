/** Histories of two people whose apps are on one device or on two each: what happens, and what must be true once all is calm again. */
import { setImmediate } from 'node:timers/promises'
import { isDeclined } from '../../src/daemon/links/proposals/declines.ts'
import { PROPOSAL } from '../../src/daemon/links/proposals/kinds.ts'
import { settle } from './channel-daemon.ts'
import { codeOf } from './code-of.ts'
import { all, answer, begin, DAY_MS, days, link, SHOP, TALK, unlink, type House, type Story } from './houses.ts'
import { quiet, type LinkDaemon } from './link-daemon.ts'

const NEWS = 'org.example.news' // before the other source app by its name
const CALM_DAYS = 9 // an offer that nobody can use is over then, and a lost frame has come again

export type Does = 'accept' | 'decline' | 'provide' | 'withdraw' | 'link' | 'unlink' | 'restart' | 'off' | 'on' | 'days'

export interface HouseStep {
  readonly does: Does
  readonly isLeo: boolean
  /** The device with the source app. */
  readonly isSource: boolean
  readonly days: number
  /** The next step comes after so many turns of the event loop, in the middle of what this one begins; null: once all is done. */
  readonly turns: number | null
}

export interface Shape {
  readonly leos: 1 | 2
  readonly kims: 1 | 2
  /** Both know each other in a second source app too, on the device with the target app. */
  readonly isNews: boolean
}

export class HouseWorld {
  readonly #story: Story
  readonly #shape: Shape
  /** Daemons that are off. */
  readonly #off = new Set<LinkDaemon>()

  private constructor(story: Story, shape: Shape) {
    this.#story = story
    this.#shape = shape
  }

  static async begin(shape: Shape): Promise<HouseWorld> {
    const story = await begin(shape.leos, shape.kims)
    const world = new HouseWorld(story, shape)
    const { leo, kim, post } = story
    if (shape.isNews) {
      const [host, guest] = [leo.target.channels, kim.target.channels]
      const { invite } = await host.call('channel.invite', { app: NEWS, name: 'Kim' })
      await guest.call('channel.accept', { app: NEWS, invite, name: 'Leo' })
      await settle(post, host, guest)
    }
    for (const house of [leo, kim]) await world.#link(house)
    await world.#quiet()
    return world
  }

  get houses(): readonly [House, House] {
    return [this.#story.leo, this.#story.kim]
  }

  async play({ does, isLeo, isSource, days: count, turns }: HouseStep): Promise<void> {
    const [house, other] = isLeo ? this.houses : [this.houses[1], this.houses[0]]
    const which = isSource ? 'source' : 'target'
    const daemon = house[which]
    const isOff = this.#off.has(daemon)
    if (does === 'days') await this.#days(count)
    else if (does === 'on') await this.#on(house, which)
    else if (isOff) return
    else if (does === 'off') await this.#turnOff(daemon)
    else if (does === 'restart') await this.#restart(house, which)
    else if (does === 'accept' || does === 'decline') {
      if (!this.#off.has(house.target)) await answerIfAsked(house, other, does === 'accept' ? 'accepted' : 'declined')
    } else if (does === 'unlink') await unlink(daemon)
    else if (does === 'link') await this.#link(house)
    else await this.#provide(house, does === 'provide' ? 'all' : 'none')
    if (turns === null) await this.#quiet()
    else for (let turn = 0; turn < turns; turn++) await setImmediate()
  }

  /** All are on again, and days pass. */
  async calm(): Promise<void> {
    for (const house of this.houses) for (const which of ['source', 'target'] as const) await this.#on(house, which)
    await this.#quiet()
    await this.#days(CALM_DAYS)
  }

  /** Both people link, provide and accept, days apart. */
  async agree(): Promise<void> {
    for (const house of this.houses) {
      await this.#link(house)
      await this.#provide(house, 'all')
    }
    await this.#days(3)
    const [leo, kim] = this.houses
    // Whoever was declined is asked again once the other one has accepted.
    for (const at of [0, 1, 0]) {
      await answerIfAsked(at === 0 ? leo : kim, at === 0 ? kim : leo, 'accepted')
      await this.#days(3)
    }
  }

  /** The states of the proposals of both people. */
  async states(): Promise<string[][]> {
    return await Promise.all(this.houses.map(async ({ target }) => await target.states()))
  }

  /** The states of the channels of the target app, at each of the two people. */
  async channels(): Promise<string[][]> {
    return await Promise.all(
      this.houses.map(async (house) => {
        const found = await Promise.all(all(house).map(async (each) => await each.channelsOf(TALK)))
        return found.flat().map(({ state }) => state)
      }),
    )
  }

  /** How many invites for the target app are there. */
  async invites(): Promise<number[]> {
    return await Promise.all(
      this.houses.map(async (house) => {
        let count = 0
        for (const { channels } of all(house))
          for (const { app } of (await channels.runner.work()).invites) if (app === TALK) count++
        return count
      }),
    )
  }

  /** Whether the owner has declined the other person. */
  hasDeclined(at: 0 | 1): boolean {
    const [house, other] = [this.houses[at], this.houses[1 - at]!]
    return isDeclined(other.target.persona, TALK, house.target.channels.test.keeper)
  }

  /** Whether a source app provides the other person now. */
  provides(at: 0 | 1): boolean {
    const { source, target } = this.houses[at]
    const persona = this.houses[1 - at]!.target.persona
    const { links } = source
    const byShop = source === target ? links.targetsOf(SHOP, persona) : links.targetsElsewhere(SHOP, persona)
    return byShop.length + target.links.targetsOf(NEWS, persona).length > 0
  }

  async close(): Promise<void> {
    for (const daemon of all(...this.houses)) {
      await daemon.proposals.close()
      await daemon.channels.runner.close()
    }
  }

  /** For whoever looks for what went wrong. */
  async told(): Promise<unknown> {
    return await Promise.all(
      this.houses.map(async ({ target }) =>
        (await Array.fromAsync(target.channels.sealed.records.onDisk(PROPOSAL).iterate())).map(([, each]) => each),
      ),
    )
  }

  get #running(): LinkDaemon[] {
    return all(...this.houses).filter((daemon) => !this.#off.has(daemon))
  }

  async #quiet(): Promise<void> {
    await quiet(this.#story.post, ...this.#running)
  }

  /** Days pass for all, also for those that are off. */
  async #days(count: number): Promise<void> {
    for (const daemon of this.#off) daemon.channels.test.later((count * DAY_MS) / 1000)
    await days(count, this.#story.post, ...this.#running)
  }

  async #turnOff(daemon: LinkDaemon): Promise<void> {
    this.#off.add(daemon)
    await daemon.proposals.close()
    await daemon.channels.runner.close()
  }

  async #on(house: House, which: keyof House): Promise<void> {
    if (this.#off.delete(house[which])) await this.#restart(house, which)
  }

  async #restart(house: House, which: keyof House): Promise<void> {
    const daemon = house[which]
    await daemon.proposals.close()
    const after = await daemon.restarted()
    for (const each of ['source', 'target'] as const) if (house[each] === daemon) house[each] = after
  }

  async #link(house: House): Promise<void> {
    const { source, target } = house
    if (this.#off.has(source) || this.#off.has(target)) return
    if (this.#shape.isNews) await target.links.link(NEWS, TALK, { provide: 'all' })
    const isApart = all(house).some(({ links }) => links.all.some(({ elsewhere }) => elsewhere !== undefined))
    if (!isApart) await link(this.#story.post, house)
  }

  async #provide(house: House, provide: 'all' | 'none'): Promise<void> {
    for (const daemon of all(house)) {
      if (this.#off.has(daemon)) continue
      for (const { id, sides } of daemon.links.all) if (sides[0].app !== TALK) await daemon.links.set(id, { provide })
    }
  }
}

/** The owner answers, if there is something to answer. */
async function answerIfAsked(house: House, other: House, wish: 'accepted' | 'declined'): Promise<void> {
  const code = await codeOf(answer(house, other, wish))
  if (code !== 'done' && code !== 'PROPOSAL_UNKNOWN') throw new Error(`an answer fails: ${code}`)
}
