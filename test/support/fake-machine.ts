/** A fake machine: the processes that a test wants, as files in its own directory. */
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Machine } from '../../src/tox/profile/lock-file.ts'

export const BOOT_ID = 'b0071d00-0000-4000-8000-000000000001'
export const MACHINE_ID = '0123456789abcdef0123456789abcdef'

export interface FakeProcess {
  readonly pid: number
  readonly args: readonly string[]
  readonly environ?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly exe?: string
  /** Libraries in its memory */
  readonly maps?: readonly string[]
  /** The paths it has open, with the octal flags of each */
  readonly open?: readonly { readonly path: string; readonly flags: string }[]
}

/** The locks that the kernel shows, to a process of the machine's initial namespace. */
export function fakeLocks(
  { procDir }: Machine,
  locks: readonly { readonly path: string; readonly pid: number }[],
): void {
  mkdirSync(join(procDir, 'self/ns'), { recursive: true })
  symlinkSync('pid:[4026531836]', join(procDir, 'self/ns/pid'))
  const lines = locks.flatMap(({ path, pid }, i) => [
    `${i + 1}: POSIX  ADVISORY  WRITE ${pid} fe:00:${statSync(path).ino} 0 EOF\n`,
    `${i + 1}: -> FLOCK  ADVISORY  WRITE 1 fe:00:1 0 EOF\n`,
  ])
  writeFileSync(join(procDir, 'locks'), lines.join(''))
}

export function fakeMachine(directory: string, processes: readonly FakeProcess[] = []): Machine {
  const procDir = join(directory, 'proc')
  mkdirSync(join(procDir, 'sys/kernel/random'), { recursive: true })
  writeFileSync(join(procDir, 'sys/kernel/random/boot_id'), `${BOOT_ID}\n`)
  const machineIdFile = join(directory, 'machine-id')
  writeFileSync(machineIdFile, `${MACHINE_ID}\n`)
  for (const { pid, args, environ, cwd, exe, maps, open } of processes) {
    const own = join(procDir, String(pid))
    mkdirSync(join(own, 'fd'), { recursive: true })
    mkdirSync(join(own, 'fdinfo'))
    writeFileSync(join(own, 'comm'), 'comm\n')
    writeFileSync(join(own, 'cmdline'), args.map((arg) => `${arg}\0`).join(''))
    if (environ !== undefined) {
      const entries = Object.entries(environ).map(([name, value]) => `${name}=${value}\0`)
      writeFileSync(join(own, 'environ'), entries.join(''))
    }
    const mapped = (maps ?? []).map((path) => `7f00-7f01 r-xp 00000000 08:01 5 ${path}\n`)
    writeFileSync(join(own, 'maps'), mapped.join(''))
    if (cwd !== undefined) symlinkSync(cwd, join(own, 'cwd'))
    if (exe !== undefined) symlinkSync(exe, join(own, 'exe'))
    for (const [fd, { path, flags }] of (open ?? []).entries()) {
      symlinkSync(path, join(own, 'fd', String(fd)))
      writeFileSync(join(own, 'fdinfo', String(fd)), `pos:\t0\nflags:\t${flags}\nmnt_id:\t1\n`)
    }
  }
  return { procDir, machineIdFile, hostname: 'laptop' }
}
