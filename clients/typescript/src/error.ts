/** What is wrong with one field of a request. */
export interface FieldError {
  /** JSON pointer into the body; for a header `/header/` and its name. */
  pointer: string
  code: string
  message: string
}

/** The server answered, and refused. Branch on `code`; /docs of the server explains each. */
export class KycError extends Error {
  override readonly name = 'KycError'
  /** HTTP status. */
  readonly status: number
  /** Stable, snake_case; `unexpected_answer` if the answer was none of this server's, such as a proxy's page. */
  readonly code: string
  readonly title: string
  readonly detail: string
  /** Name it when you ask the operator; empty if the answer had none. */
  readonly requestId: string
  /** The fields that are wrong, where that is the reason. */
  readonly errors: readonly FieldError[]
  /** Seconds that the server asks to wait, with 429 and 503. */
  readonly retryAfter: number | undefined

  constructor(refusal: Refusal) {
    super(`${refusal.status} ${refusal.code}: ${refusal.detail || refusal.title}`)
    this.status = refusal.status
    this.code = refusal.code
    this.title = refusal.title
    this.detail = refusal.detail
    this.requestId = refusal.requestId
    this.errors = refusal.errors
    this.retryAfter = refusal.retryAfter
  }
}

export interface Refusal {
  status: number
  code: string
  title: string
  detail: string
  requestId: string
  errors: readonly FieldError[]
  retryAfter: number | undefined
}

/** No answer came, or only a part of one: the connection failed. What was asked may have happened or not. */
export class KycNetworkError extends Error {
  override readonly name = 'KycNetworkError'
  readonly code = 'network_error'

  constructor(cause: unknown) {
    super('the server could not be reached', { cause })
  }
}

/** No answer came in time. What was asked may have happened or not. */
export class KycTimeoutError extends Error {
  override readonly name = 'KycTimeoutError'
  readonly code = 'timeout'
  readonly timeoutMs: number

  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`)
    this.timeoutMs = timeoutMs
  }
}

export type WebhookErrorCode =
  'missing_header' | 'invalid_timestamp' | 'stale' | 'bad_signature' | 'invalid_secret' | 'invalid_event'

/** A message that must not be believed. Answer it with 400 and do nothing else. */
export class KycWebhookError extends Error {
  override readonly name = 'KycWebhookError'
  readonly code: WebhookErrorCode

  constructor(code: WebhookErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Reads problem details (RFC 9457), or the token endpoint's error (RFC 6749 §5.2). */
export function refusal(status: number, statusText: string, headers: Headers, body: string, now: number): Refusal {
  const problem = object(parse(body))
  const oauth = text(problem.error)
  return {
    status,
    code: text(problem.code) || oauth || 'unexpected_answer',
    title: text(problem.title) || statusText,
    detail: text(problem.detail) || text(problem.error_description),
    requestId: text(problem.request_id) || (headers.get('x-request-id') ?? ''),
    errors: Array.isArray(problem.errors) ? problem.errors.map(fieldError) : [],
    retryAfter: retryAfter(headers.get('retry-after'), now),
  }
}

/** Reads both forms of Retry-After (RFC 9110 §10.2.3), seconds and a date, as seconds from now. */
export function retryAfter(value: string | null, now: number): number | undefined {
  const trimmed = value?.trim() ?? ''
  if (/^\d{1,9}$/.test(trimmed)) return Number(trimmed)
  const at = /[a-z]/i.test(trimmed) ? Date.parse(trimmed) : NaN
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000))
}

export function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

export function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function fieldError(value: unknown): FieldError {
  const field = object(value)
  return { pointer: text(field.pointer), code: text(field.code), message: text(field.message) }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
