/** A documented request and its documented answer. */
export interface Example {
  /** Query of a GET, body of any other method. */
  readonly request?: Readonly<Record<string, unknown>>
  readonly response?: object
  /** What each object or row of an answer of ours has beside what the API reference shows. */
  readonly beyond?: Readonly<Record<string, unknown>>
}

/** Method and path of the API reference to what it shows there. */
export type Examples = Readonly<Record<string, Example>>
