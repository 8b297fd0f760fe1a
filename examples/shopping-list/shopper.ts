/** A person with the shopping list in a browser: what they click and type, and what they see. */
import type { BrowserContext, Locator, Page } from 'playwright-core'

/** The items as texts, `✓ ` before those that are bought. */
const ITEMS = `[...document.querySelectorAll('#items li')].map((row) =>
  (row.querySelector('[type=checkbox]').checked ? '✓ ' : '') + row.querySelector('.text').value)`

/** Waits for a change of the page after which the condition holds. */
const UNTIL = `(condition) => new Promise((resolve) => {
  const observer = new MutationObserver(() => check())
  const check = () => { if (condition()) { observer.disconnect(); resolve() } }
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true })
  check()
})`

export class Shopper {
  readonly page: Page
  readonly #nickname: string

  /** @param nickname what they call themselves */
  constructor(page: Page, nickname: string) {
    this.page = page
    this.#nickname = nickname
  }

  /** Opens the page, or a link. */
  static async open(browser: BrowserContext, url: string, nickname: string): Promise<Shopper> {
    const page = browser.pages()[0] ?? (await browser.newPage())
    page.on('dialog', (dialog) => void dialog.accept())
    await page.goto(url)
    return new Shopper(page, nickname)
  }

  async add(text: string): Promise<void> {
    await this.#type('New item', text)
    await this.#click('Add')
  }

  async tick(text: string): Promise<void> {
    await this.page.getByLabel(`${text}: bought`).check()
  }

  async change(text: string, other: string): Promise<void> {
    const field = this.#field(`Item ${text}`)
    await field.fill(other)
    await field.press('Tab')
  }

  async remove(text: string): Promise<void> {
    await this.#click(`Remove ${text}`)
  }

  /** @returns the link, which stays on the screen */
  async share(name: string): Promise<string> {
    await this.#click('Share with somebody')
    await this.#type('Your nickname', this.#nickname)
    await this.#type('Their name', name)
    await this.#click('Make a link')
    return await this.#field('Link').inputValue()
  }

  /** @returns a link that replaces the person, which stays on the screen */
  async renewLink(name: string): Promise<string> {
    await this.#click(`New link for ${name}`)
    return await this.#field('Link').inputValue()
  }

  async closeLink(): Promise<void> {
    await this.#click('Close')
  }

  /** Waits until a page that was opened by a link asks. */
  async isAsked(): Promise<void> {
    await this.#field('Who sent you the link?').waitFor()
  }

  /** Agrees to share, in a page that was opened by a link. */
  async agree(name: string): Promise<void> {
    await this.#type('Who sent you the link?', name)
    await this.#type('Your nickname', this.#nickname)
    await this.#click('Share the list')
  }

  /** @returns the words that they see, once there are some */
  async words(): Promise<string> {
    const words = this.page.locator('.words')
    await words.waitFor()
    return (await words.textContent())!
  }

  async findWordsSame(): Promise<void> {
    await this.#click('Yes, the same')
  }

  async stopSharing(name: string): Promise<void> {
    await this.#click(`Stop sharing with ${name}`)
  }

  async items(): Promise<string[]> {
    return await this.page.evaluate(ITEMS)
  }

  /** Waits until the list has these items in this order. */
  async seesItems(...items: readonly string[]): Promise<void> {
    await this.#until(`JSON.stringify(${ITEMS}) === ${JSON.stringify(JSON.stringify(items))}`)
  }

  /** Waits until the list is shared with these people. */
  async seesPeople(...names: readonly string[]): Promise<void> {
    const shown = `[...document.querySelectorAll('#people h3')].map((row) => row.textContent)`
    await this.#until(`JSON.stringify(${shown}) === ${JSON.stringify(JSON.stringify(names))}`)
  }

  /** Waits until a text is on the page. */
  async sees(text: string): Promise<void> {
    await this.#until(`document.body.innerText.includes(${JSON.stringify(text)})`)
  }

  async #until(condition: string): Promise<void> {
    await this.page.evaluate(`(${UNTIL})(() => ${condition})`)
  }

  #field(label: string): Locator {
    return this.page.getByRole('textbox', { name: label, exact: true })
  }

  async #type(label: string, text: string): Promise<void> {
    await this.#field(label).fill(text)
  }

  async #click(name: string): Promise<void> {
    await this.page.getByRole('button', { name, exact: true }).click()
  }
}
