/** A result as a person would jot it down: one line per object of a list, nothing that is empty. */
export function textOf(output: unknown): string {
  if (output === null || output === undefined) return 'Done.'
  if (!isRecord(output)) return scalar(output)
  const { data, total, page, page_size, ...rest } = output
  if (!Array.isArray(data)) return lines(output).join('\n')
  const head =
    typeof total === 'number' ? pageLine(data.length, total, Number(page), Number(page_size)) : `${data.length} found`
  return [head, ...lines(rest), ...data.map((item) => `- ${inline(item)}`)].join('\n')
}

function pageLine(shown: number, total: number, page: number, size: number): string {
  const more = page * size < total ? `; more with page ${page + 1}` : ''
  return `${shown} of ${total}, page ${page}${more}`
}

function lines(record: Record<string, unknown>): string[] {
  return Object.entries(record).flatMap(([key, value]) => {
    if (isEmpty(value)) return []
    if (Array.isArray(value) && value.some(isRecord)) return [`${key}:`, ...value.map((item) => `- ${inline(item)}`)]
    const text = isRecord(value) ? inline(value) : scalar(value)
    return [text.includes('\n') ? `${key}:\n${text}` : `${key}: ${text}`]
  })
}

/** An object on one line, its name first. */
function inline(value: unknown): string {
  if (!isRecord(value)) return scalar(value)
  const name = value.name ?? value.peer_name
  const rest = Object.entries(value).filter(([key, item]) => !isEmpty(item) && key !== 'name')
  const fields = rest.map(([key, item]) => `${key}=${isRecord(item) ? `{${inline(item)}}` : word(item)}`).join(' ')
  return name === undefined || name === value.peer_name ? fields : `${word(name)}: ${fields}`
}

/** A value among others on a line: text that could pass for more than one value is put in quotes. */
function word(value: unknown): string {
  const text = scalar(value)
  return typeof value === 'string' && /[\s="{}]/.test(text) ? JSON.stringify(text) : text
}

function scalar(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => (isRecord(item) ? `{${inline(item)}}` : scalar(item))).join(', ')
  return typeof value === 'string' ? visible(value) : String(value)
}

/** Control, bidi and zero-width characters made visible: somebody typed this text, and it must not steer who reads it. */
function visible(text: string): string {
  return text.replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`
  })
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true
  return Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
