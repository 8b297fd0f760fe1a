/** A history of two people with two devices each who write to each other. */
import { expect } from 'vitest'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { PersonadError } from '../../src/errors/personad-error.ts'
import { numbered } from '../../src/daemon/sealed/numbered.ts'
import { SENT } from '../../src/daemon/messages/records/kinds.ts'
import { openMemoryStore } from '../../src/store/memory-store.ts'
import { CrashingStore } from './crashing-store.ts'
import { ownText } from './keeper.ts'
import { DAY_SEC, makeContacts, MessageDaemon, NOTES } from './message-daemon.ts'
import { MessageWorld } from './message-world.ts'
import { deviceKey } from './person.ts'
import { checkDelivered, checkOnce, checkOver, type Device, type Person, type Sent } from './message-history-rules.ts'
import { quickEngine } from './quick-engine.ts'
import { rotates } from './rotation.ts'

export type Act =
  | { readonly act: 'send' | 'stop' | 'ack' | 'lock'; readonly device: number }
  /** The laptop of a person sends, and is killed when so many commits have reached the disk. */
  | { readonly act: 'crash'; readonly person: number; readonly commits: number }
  | { readonly act: 'away' | 'rotate' | 'forget' | 'remove'; readonly person: number }
  /** The devices of a person block the other one, or end the block, and may be killed before anybody hears of it. */
  | { readonly act: 'block'; readonly person: number; readonly isKilled: boolean }
  | { readonly act: 'later'; readonly sec: number }
  | { readonly act: 'settle' }

const PASSPHRASE = { passphrase: 'correct horse battery staple' }
const NAMES = ['Alice', 'Bob'] as const

export class MessageHistory {
  readonly #world = new MessageWorld()
  readonly #people: Person[] = []
  readonly #devices: Device[] = []
  readonly #sent: Sent[] = []
  /** Texts whose call was not answered, by device. */
  readonly #unanswered: [Device, string][] = []
  /** Devices by each key `sig` that they had. */
  readonly #sigs = new Map<string, Device>()
  #count = 0
  /** Somebody blocked, or was taken out: messages of then may not arrive. */
  #isExcused = false

  static async open(): Promise<MessageHistory> {
    const history = new MessageHistory()
    await history.#open()
    return history
  }

  async #open(): Promise<void> {
    const world = this.#world
    const laptops: Device[] = []
    for (const [person, name] of NAMES.entries()) {
      const relay = await world.relay(name.toLowerCase())
      const disk = new CrashingStore(openMemoryStore())
      const daemon = await MessageDaemon.open(world, name, [relay], { store: disk, engine: quickEngine })
      const { words } = await daemon.test.call('recovery.show')
      this.#people.push({ relay, words: words.join(' '), epoch: 0, isBlocking: false, isPhoneOut: false })
      laptops.push(deviceOf(`${name}'s laptop`, person, disk, daemon))
    }
    await makeContacts(...laptops.map(({ daemon }) => daemon))
    for (const laptop of laptops) {
      await laptop.daemon.pairs()
      await laptop.daemon.use()
      const phone = await laptop.daemon.phone()
      this.#devices.push(laptop, deviceOf(`${laptop.daemon.name}'s phone`, laptop.person, null, phone))
    }
    for (const { daemon } of this.#devices) await daemon.test.call('passphrase.set', PASSPHRASE)
    await world.later(3600)
    // A rotation on the laptop takes the keys of the phone along.
    for (const { daemon } of laptops) await daemon.test.call('device.approve', { device: 'phone' })
    this.#noteKeys()
  }

  async close(): Promise<void> {
    for (const device of this.#devices) await device.daemon.stopped()
  }

  async does(act: Act): Promise<void> {
    switch (act.act) {
      case 'send':
        return await this.#send(this.#devices[act.device]!)
      case 'stop':
        return await this.#stop(this.#devices[act.device]!)
      case 'ack':
        return await this.#read(this.#devices[act.device]!, true)
      case 'lock':
        return await this.#lock(this.#devices[act.device]!)
      case 'crash':
        return await this.#crash(this.#devices[2 * act.person]!, act.commits)
      case 'away': {
        const { relay } = this.#people[act.person]!
        relay.isDown = !relay.isDown
        return
      }
      case 'rotate':
        return await this.#rotate(act.person)
      case 'block':
        return await this.#block(act.person, act.isKilled)
      case 'forget':
        return await this.#forget(act.person)
      case 'remove':
        return await this.#remove(act.person)
      case 'later':
        return await this.#world.later(act.sec)
      case 'settle':
        return await this.#world.settle()
    }
  }

  async #send(from: Device): Promise<void> {
    if (!from.isOn) return
    const text = `message ${++this.#count}`
    this.#unanswered.push([from, text])
    await this.#put(from, text)
  }

  async #put(from: Device, text: string): Promise<void> {
    const to = this.#devices[2 * (1 - from.person)]!.daemon
    let number: number
    try {
      number = await from.daemon.send(to, text, text)
    } catch (error) {
      // A killed daemon answers nothing: the app asks again later.
      if (from.disk?.isDead !== true && error instanceof PersonadError) this.#answered(text)
      else if (from.disk?.isDead !== true) throw error
      return
    }
    this.#answered(text)
    const { devices } = from.daemon.sealed.records.onDisk(SENT).get(numbered(NOTES, number))!
    this.#sent.push({ text, from, number, sigs: devices.map(({ sig }) => sig) })
  }

  #answered(text: string): void {
    const at = this.#unanswered.findIndex(([, other]) => other === text)
    if (at >= 0) this.#unanswered.splice(at, 1)
  }

  async #stop(device: Device): Promise<void> {
    if (!device.isOn) return await this.#start(device)
    device.isOn = false
    await device.daemon.stopped()
  }

  async #start(device: Device): Promise<void> {
    device.daemon = await device.daemon.restarted()
    device.isOn = true
    if (!device.isLocked) await this.#unlock(device)
    await this.#follow(device)
    const again = this.#unanswered.filter(([from]) => from === device)
    for (const [from, text] of again) await this.#put(from, text)
  }

  async #crash(laptop: Device, commits: number): Promise<void> {
    if (!laptop.isOn) return
    const disk = laptop.disk!
    disk.crashAfter(commits)
    await this.#send(laptop)
    await this.#world.settle()
    const wasKilled = disk.isDead
    disk.revive()
    if (wasKilled) await this.#start(laptop)
  }

  async #lock(device: Device): Promise<void> {
    device.isLocked = !device.isLocked
    if (!device.isOn) return
    if (device.isLocked) await device.daemon.test.call('persona.lock')
    else {
      await this.#unlock(device)
      await this.#follow(device)
    }
  }

  /** The key also locks by itself after a while. */
  async #unlock({ daemon }: Device): Promise<void> {
    await daemon.test.call('persona.unlock', PASSPHRASE)
  }

  /** The laptop rotates, and the phone follows once it is on and open. */
  async #rotate(person: number): Promise<void> {
    const laptop = this.#devices[2 * person]!
    if (!laptop.isOn || laptop.isLocked) return
    const one = this.#people[person]!
    await this.#unlock(laptop)
    await rotates(laptop.daemon.test, one.words, { epoch: one.epoch + 1 })
    one.epoch++
    laptop.epoch = one.epoch
    await this.#follow(this.#devices[2 * person + 1]!)
  }

  async #follow(phone: Device): Promise<void> {
    const { epoch, words, isPhoneOut } = this.#people[phone.person]!
    if (!phone.isOn || phone.isLocked || phone.epoch === epoch || isPhoneOut) return
    const { test, name } = phone.daemon
    const laptop = this.#devices[2 * phone.person]!.daemon
    await test.call('observe', { from: deviceKey(`${name}'s laptop`), text: await ownText(laptop.test) })
    await this.#unlock(phone)
    await test.call('rotation.follow', { words })
    phone.epoch = epoch
  }

  async #block(person: number, isKilled: boolean): Promise<void> {
    const one = this.#people[person]!
    const mine = this.#devices.filter((device) => device.person === person)
    if (mine.some(({ isOn }) => !isOn)) return
    this.#isExcused = true
    one.isBlocking = !one.isBlocking
    const contact = this.#devices[2 * (1 - person)]!.daemon.personaId
    for (const device of mine) {
      const { test } = device.daemon
      if (isKilled) test.onEvent = () => {}
      await test.call(one.isBlocking ? 'contact.block' : 'contact.unblock', { contact })
      if (!isKilled) continue
      await this.#stop(device)
      await this.#start(device)
    }
  }

  /** The other person is no contact of these devices any more, and then one again. A block ends with that. */
  async #forget(person: number): Promise<void> {
    const one = this.#people[person]!
    const mine = this.#devices.filter((device) => device.person === person)
    if (mine.some(({ isOn }) => !isOn)) return
    this.#isExcused = true
    one.isBlocking = false
    const other = this.#devices[2 * (1 - person)]!.daemon
    for (const { daemon } of mine) {
      await daemon.test.call('contact.forget', { contact: other.personaId })
      await this.#world.settle()
      const { link } = await other.test.call('link.get', {})
      await daemon.test.call('contact.add', { link })
      await daemon.test.call('observe', { from: deviceKey(`${other.name}'s laptop`), text: await ownText(other.test) })
    }
  }

  /** After all that has happened, people reach each other. */
  async #checkReached(): Promise<void> {
    const laptops = this.#devices.filter((_, i) => i % 2 === 0)
    for (const [i, laptop] of laptops.entries()) {
      await this.#unlock(laptop)
      await laptop.daemon.send(laptops[1 - i]!.daemon, `last word of ${laptop.name}`)
    }
    for (let hour = 0; hour < 3; hour++) await this.#world.later(3600)
    for (const [i, laptop] of laptops.entries())
      expect(await laptops[1 - i]!.daemon.texts()).toContain(`last word of ${laptop.name}`)
  }

  async #remove(person: number): Promise<void> {
    const [laptop, one] = [this.#devices[2 * person]!, this.#people[person]!]
    if (!laptop.isOn || laptop.isLocked || one.isPhoneOut) return
    this.#isExcused = true
    one.isPhoneOut = true
    await this.#unlock(laptop)
    await laptop.daemon.test.call('device.remove', { device: 'phone' })
  }

  /** The app reads all that is there, and deals with it. */
  async #read(device: Device, isDone: boolean): Promise<void> {
    if (!device.isOn || !device.daemon.sealed.key.isOpen) return
    const messages = await device.daemon.read()
    for (const { number, content, failed } of messages) {
      const text = failed ?? Buffer.from(content, 'base64').toString()
      const before = device.read.get(number)
      if (before !== undefined) expect([device.name, number, text]).toEqual([device.name, number, before])
      device.read.set(number, text)
    }
    const last = messages.at(-1)?.number
    if (isDone && last !== undefined) await device.daemon.call('message.ack', { app: NOTES, upTo: last })
  }

  #noteKeys(): void {
    for (const device of this.#devices) {
      const sig = device.daemon.cards.deviceNow(NOTES)?.deviceKey
      if (sig !== undefined) this.#sigs.set(formatHex(sig), device)
    }
  }

  /** Everything is on and open again, and a month passes. @returns how many messages were sent */
  async ends(): Promise<number> {
    for (const { relay } of this.#people) relay.isDown = false
    for (const device of this.#devices) {
      if (device.isLocked) await this.#lock(device)
      if (!device.isOn) await this.#start(device)
    }
    for (const [person, { isBlocking }] of this.#people.entries()) if (isBlocking) await this.#block(person, false)
    this.#noteKeys()
    for (let round = 0; round < 3; round++) {
      // A locked device signs no card, so one that has to be in a card again waits.
      for (const device of this.#devices) await this.#unlock(device)
      await this.#world.later(3700)
    }
    // The cards of others are read daily.
    for (let hour = 0; hour < 25; hour++) await this.#world.later(3600)
    for (const device of this.#devices) await this.#read(device, false)
    checkOnce(this.#devices)
    await this.#checkReached()
    if (!this.#isExcused) await checkDelivered(this.#sent, this.#people, this.#sigs)
    else {
      this.#world.turn(31 * DAY_SEC)
      await this.#world.settle()
      const ofOut = this.#devices.filter(({ person }, i) => i % 2 === 1 && this.#people[person]!.isPhoneOut)
      await checkOver(this.#sent.filter(({ from }) => !ofOut.includes(from)))
    }
    return this.#sent.length
  }
}

function deviceOf(name: string, person: number, disk: CrashingStore | null, daemon: MessageDaemon): Device {
  return { name, person, disk, daemon, isOn: true, isLocked: false, epoch: 0, read: new Map() }
}
