/** The line that a person types at the bottom of a terminal. Lines that come meanwhile are printed above it, and the typed text stays. */
import { createInterface, cursorTo, moveCursor, clearScreenDown, type Interface, type Key } from 'node:readline'

export interface EditorOptions {
  readonly onLine: (line: string) => void
  /** Ctrl-C or Ctrl-D. */
  readonly onEnd: () => void
}

export class Editor {
  readonly #reader: Interface
  #isOver = false

  constructor({ onLine, onEnd }: EditorOptions) {
    const { stdin: input, stdout: output } = process
    // Before readline hears of the key: the typed line goes away, and comes back as a line of the chat.
    input.prependListener('keypress', (_, key: Key | undefined) => this.#erase(key))
    this.#reader = createInterface({ input, output, terminal: true, prompt: '' })
    this.#reader.on('line', (line) => {
      // Readline has begun a new row below the erased one.
      moveCursor(output, 0, -1)
      this.#reader.prompt()
      onLine(line)
    })
    this.#reader.once('SIGINT', () => this.#reader.close())
    this.#reader.once('close', () => {
      this.#isOver = true
      onEnd()
    })
  }

  #erase(key: Key | undefined): void {
    if (this.#isOver || (key?.name !== 'return' && key?.name !== 'enter')) return
    this.#reader.write(null, { ctrl: true, name: 'e' })
    this.#wipe()
  }

  /** Changes the text before the line. @param prompt escaped, on one line */
  ask(prompt: string): void {
    if (this.#isOver || prompt === this.#reader.getPrompt()) return
    this.#above('')
    this.#reader.setPrompt(prompt)
    this.#reader.prompt(true)
  }

  /** Prints lines above the one that is typed. @param lines escaped */
  print(lines: readonly string[]): void {
    if (lines.length === 0) return
    const text = lines.map((line) => `${line}\n`).join('')
    if (this.#isOver) return void process.stdout.write(text)
    this.#above(text)
    this.#reader.prompt(true)
  }

  /** Takes the typed line off the screen, and writes a text in its place. */
  #above(text: string): void {
    const rows = this.#wipe()
    // Readline goes up as many rows as the cursor was below its prompt before it draws.
    process.stdout.write(text + '\n'.repeat(rows))
  }

  /** @returns how many rows the cursor was below the prompt */
  #wipe(): number {
    const { rows } = this.#reader.getCursorPos()
    moveCursor(process.stdout, 0, -rows)
    cursorTo(process.stdout, 0)
    clearScreenDown(process.stdout)
    return rows
  }

  /** Leaves the typed line where it is, and gives the terminal back. */
  close(): void {
    if (!this.#isOver) this.#reader.close()
  }
}
