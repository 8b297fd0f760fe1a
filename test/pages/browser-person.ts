/** A person with a browser of their own, and the page of the app in it. */
import type { Page } from 'playwright-core'
import { openTab, serveApp, startBrowser } from './browsers.ts'
import { RelayProcess } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'

export interface View {
  readonly state: string
  readonly problem: string | null
  readonly way: string
  readonly words: readonly string[] | null
  readonly isVerified: boolean
  readonly unsent: number
  readonly ownName: string | null
}

/** The page of one person. */
export class Person {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  /** Opens the page in a browser of its own, and the library in it. */
  static async start(app: string, options: object, profile?: string): Promise<Person> {
    const person = new Person(await openTab(await startBrowser(profile), app))
    await person.open(options)
    return person
  }

  async open(options: object): Promise<void> {
    await this.run(`start(${JSON.stringify(options)})`)
  }

  /** Loads the page again, as after a crash of the tab. */
  async reload(options: object): Promise<void> {
    await this.page.reload()
    await this.open(options)
  }

  async run(script: string): Promise<unknown> {
    return await this.page.evaluate(script)
  }

  async share(name: string): Promise<string> {
    return (await this.run(`connectoid.share(${JSON.stringify(name)}).then(({ url }) => url)`)) as string
  }

  async accept(url: string, name: string): Promise<string> {
    const call = `connectoid.accept(${JSON.stringify(url)}, ${JSON.stringify(name)}).then(({ id }) => id)`
    return (await this.run(call)) as string
  }

  /** Waits until the view of a peer has all members of the wish. @returns the view */
  async sees(name: string, wish: Partial<View>): Promise<View> {
    const condition = `until((name, wish) => Object.entries(wish).every(([key, value]) => view(name)[key] === value)
      && view(name), ${JSON.stringify(name)}, ${JSON.stringify(wish)})`
    return (await this.run(condition)) as View
  }

  async send(name: string, text: string): Promise<void> {
    await this.run(`peer(${JSON.stringify(name)}).send(${JSON.stringify(text)})`)
  }

  /** Waits for so many contents since the page was loaded. */
  async messages(count: number): Promise<string[]> {
    return (await this.run(`until((count) => messages.length >= count && messages, ${count})`)) as string[]
  }
}

/** A relay, and the address of the app, which may call it. */
export async function relayAndApp(): Promise<{ relay: RelayProcess; app: string }> {
  const relay = await RelayProcess.start({ home: tempDir() })
  return { relay, app: await serveApp(relay.url) }
}
