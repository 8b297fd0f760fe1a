/** The findings of `doctor` about the folders of the configuration. */
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import { lookAtFolder } from './carriers/look-at-folder.ts'

/** @param folders absolute paths */
export async function folderFindings(folders: readonly string[]): Promise<Finding[]> {
  return await Promise.all(folders.map(findingOf))
}

async function findingOf(folder: string): Promise<Finding> {
  switch (await lookAtFolder(folder)) {
    case 'away': {
      const hint = 'connect its disk, or make the folder; a service sees no folder in /tmp'
      return notice('FOLDER_AWAY', `there is no folder ${folder} now, so channels over it wait`, hint, { folder })
    }
    case 'read-only': {
      const hint = 'change its permissions; if the daemon is a service, open the sandbox for the folder'
      return problem('FOLDER_READ_ONLY', `the daemon may not write to the folder ${folder}`, hint, { folder })
    }
    case 'writable':
      return ok('FOLDER', `the daemon may write to the folder ${folder}`)
  }
}
