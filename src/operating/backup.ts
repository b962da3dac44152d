import { constants } from 'node:fs'
import { access, chmod, copyFile, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { readConfig } from '../config.ts'
import { AppError } from '../errors.ts'
import { systemRandom } from '../random.ts'
import { copyDatabase, examine, seizeDatabase } from '../storage/backup.ts'
import { createVault } from '../storage/vault.ts'

/** What `backup` and `restore` are told: the settings of the server, one file, and whether it may replace another. */
export interface BackupOptions {
  readonly environment: Record<string, string | undefined>
  readonly file: string
  readonly force: boolean
}

/** Writes a consistent copy of the database, which a server may be using, and of its key file. Answers what to print. */
export async function backup({ environment, file, force }: BackupOptions): Promise<string> {
  const { databasePath, secretKey } = settingsOf(environment)
  const target = resolve(file)
  if (!force) await refuseExisting(target, 'name another file, or add --force')
  if (!force && secretKey === undefined) await refuseExisting(`${target}.key`, 'name another file, or add --force')
  const key = secretKey ?? (await readKey(`${databasePath}.key`))
  if (key === undefined) throw new AppError('not_found', `no key: neither SECRET_KEY nor ${databasePath}.key is there`)
  await using part = await newFile(`${target}.part`)
  copyDatabase(databasePath, part.path)
  const version = await examine(part.path, databasePath, createVault(key, systemRandom))
  const { size } = await stat(part.path)
  if (secretKey === undefined) await installKey(`${target}.key`, key)
  await install(part.path, target)
  return [
    `${databasePath} is backed up to ${file}: ${size} bytes, schema version ${version}`,
    secretKey === undefined
      ? `${file}.key is the key that opens it: restore needs both, and whoever has both has every WireGuard key`
      : 'restore needs the same SECRET_KEY: it is not in the file, keep it elsewhere',
    '',
  ].join('\n')
}

/** Puts a backup in the place of the database, which no server may be using. Answers what to print. */
export async function restore({ environment, file, force }: BackupOptions): Promise<string> {
  const { databasePath, secretKey } = settingsOf(environment)
  const isThere = await exists(databasePath)
  if (isThere && !force) throw new AppError('conflict', `${databasePath} exists already: --force replaces it`)
  if (!(await exists(file))) throw new AppError('not_found', `there is no file ${file}`)
  await refuseExisting(`${file}-wal`, `${file} is a raw copy of a database in use, take a backup instead`)
  const brought = secretKey === undefined ? await readKey(`${file}.key`) : undefined
  const key = secretKey ?? brought ?? (await readKey(`${databasePath}.key`))
  if (key === undefined)
    throw new AppError('not_found', `no key: set SECRET_KEY, or put the key beside it as ${file}.key`)
  await mkdir(dirname(resolve(databasePath)), { recursive: true, mode: 0o700 })
  await using part = await newFile(`${resolve(databasePath)}.restoring`)
  await copyFile(file, part.path)
  const version = await examine(part.path, file, createVault(key, systemRandom))
  using _held = isThere ? seizeDatabase(databasePath) : undefined
  // What the old database left beside it must not be taken for a part of the new one.
  for (const suffix of ['-wal', '-shm']) await rm(`${databasePath}${suffix}`, { force: true })
  if (brought !== undefined) await installKey(`${databasePath}.key`, brought)
  await install(part.path, resolve(databasePath))
  return `${databasePath} is restored from ${file}, schema version ${version}: start the server\n`
}

function settingsOf(environment: BackupOptions['environment']) {
  const { config, secrets } = readConfig(environment)
  return { databasePath: config.databasePath, secretKey: secrets.secretKey }
}

async function refuseExisting(path: string, remedy: string): Promise<void> {
  if (await exists(path)) throw new AppError('conflict', `${path} exists already: ${remedy}`)
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  )
}

async function readKey(path: string): Promise<string | undefined> {
  if (!(await exists(path))) return undefined
  return (await readFile(path, 'utf8')).trim()
}

const OWNER_ONLY = 0o600

/** An empty file that only its owner may read; gone when disposed, unless it was moved. */
async function newFile(path: string): Promise<AsyncDisposable & { path: string }> {
  await rm(path, { force: true })
  const file = await open(path, 'wx', OWNER_ONLY).catch((cause) => {
    throw new AppError('invalid', `cannot write ${path} (${cause.code})`, { cause })
  })
  await file.close()
  return { path, [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}

/** Moves a file to its place at once, and durably: after a power cut there is the old one or the new one. */
async function install(from: string, to: string): Promise<void> {
  await chmod(from, OWNER_ONLY)
  await synced(from)
  await rename(from, to)
  await synced(dirname(to))
}

async function installKey(path: string, key: string): Promise<void> {
  await using part = await newFile(`${path}.part`)
  const file = await open(part.path, 'w', OWNER_ONLY)
  await file.writeFile(`${key}\n`).finally(() => file.close())
  await install(part.path, path)
}

async function synced(path: string): Promise<void> {
  const handle = await open(path, 'r')
  await handle.sync().finally(() => handle.close())
}
