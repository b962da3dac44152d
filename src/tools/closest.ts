import { distance } from 'fastest-levenshtein'

/** The one of `candidates` that was probably meant by `text`, if any is near enough. */
export function closest(text: string, candidates: readonly string[]): string | undefined {
  const wanted = text.toLowerCase().slice(0, 100)
  const completed = wanted === '' ? [] : candidates.filter((candidate) => candidate.toLowerCase().startsWith(wanted))
  if (completed.length === 1) return completed[0]
  const limit = Math.max(2, Math.floor(wanted.length / 3))
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: distance(wanted, candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)
  const best = ranked[0]
  return best && best.edits <= limit ? best.candidate : undefined
}
