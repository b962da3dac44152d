/** Which HTTP request something belongs to: what log lines and audit rows have in common. */
export interface Trace {
  readonly request_id: string
  /** Address of who sent it, as far as the trusted proxies tell. */
  readonly remote_ip: string
}
