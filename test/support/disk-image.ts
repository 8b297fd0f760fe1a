/** A directory on a disk image, as a virtual machine has it: its numbers and times of files come back with the image. Needs root. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const IMAGE_BYTES = 64 << 20 // sanity: a small home, and the journal of the file system; the file is sparse

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`)
}

export class DiskImage {
  readonly #parent = mkdtempSync(join(tmpdir(), 'personad-disk-'))
  readonly #image: string = join(this.#parent, 'image')
  readonly #saved: string = join(this.#parent, 'saved')
  /** Where it is mounted. */
  readonly directory: string = mkdtempSync(join(this.#parent, 'home-'))

  /** Makes the image and mounts it until the end of the test. @throws where this machine mounts no images */
  constructor() {
    onTestFinished(() => {
      spawnSync('umount', ['--lazy', this.directory])
      rmSync(this.#parent, { recursive: true, force: true })
    })
    writeFileSync(this.#image, '')
    truncateSync(this.#image, IMAGE_BYTES)
    run('mkfs.ext4', '-q', this.#image)
    this.#mount()
  }

  /** Keeps the image as it is now. No file may be open there. */
  save(): void {
    run('umount', this.directory)
    copyFileSync(this.#image, this.#saved)
    this.#mount()
  }

  /** Puts the kept image back. No file may be open there. */
  putBack(): void {
    run('umount', this.directory)
    copyFileSync(this.#saved, this.#image)
    this.#mount()
  }

  #mount(): void {
    run('mount', '-o', 'loop', this.#image, this.directory)
  }
}
