import type { Environment } from './environment.js'
import { KycError, KycNetworkError, KycTimeoutError, parse, refusal } from './error.js'
import type { TokenSource } from './token.js'

/** What one call may decide for itself. */
export interface CallOptions {
  /** Ends the call, also between its tries. The call then throws the signal's reason. */
  signal?: AbortSignal | undefined
  /** How long one try may take, in milliseconds. */
  timeoutMs?: number | undefined
  /**
   * Names what a POST does: another POST with the same key and body has no second effect and gets the first one's answer,
   * for 24 hours. Without it every call makes a key of its own, and keeps it over its tries. Give one where the same
   * thing may be tried again after a restart, such as the id of your order.
   */
  idempotencyKey?: string | undefined
}

/** A request, ready to be sent more than once. */
export interface Request {
  method: 'GET' | 'POST' | 'PUT'
  path: string
  accept: string
  timeoutMs: number
  body?: Body | undefined
  headers?: Record<string, string> | undefined
  /** The token to send, if any. */
  token?: TokenSource | undefined
  /** Says whether an answer with another status than 200 is one all the same. */
  accepts?: ((response: Response) => boolean) | undefined
}

/** A body that is the same bytes in every try. */
export interface Body {
  contentType: string
  content: string | Blob
}

export function jsonBody(value: unknown): Body {
  return { contentType: 'application/json', content: JSON.stringify(value) }
}

/** Encodes a form once: fetch would make another boundary for every try, and the server would take it for another body. */
export async function formBody(form: FormData): Promise<Body> {
  const encoded = new Response(form)
  return { contentType: encoded.headers.get('content-type')!, content: await encoded.blob() }
}

/** Statuses that may pass: too many requests, a gateway's troubles, not available at the moment. */
const passing = [429, 502, 503, 504]

/** What the server answers while the first try of this very request is still at work. */
const inProgress = 'idempotency_in_progress'

/** The longest pause before the first retry; it doubles with every further one, up to the last. Milliseconds. */
const firstPause = 500
const longestPause = 8_000

/** A server that asks to wait longer is left to the caller, who sees how long in the error. Seconds. */
const longestRetryAfter = 60

/** Sends requests, each again as long as that may help. */
export class Sender {
  constructor(
    private readonly baseUrl: string,
    private readonly retries: number,
    private readonly environment: Environment,
  ) {}

  /** Gives what read makes of the answer. It throws KycError, KycNetworkError, KycTimeoutError or the signal's reason. */
  async send<T>(request: Request, options: CallOptions, read: (response: Response) => Promise<T>): Promise<T> {
    const headers: Record<string, string> = { ...request.headers, Accept: request.accept }
    if (request.body) headers['Content-Type'] = request.body.contentType
    if (request.method === 'POST' && request.token) headers['Idempotency-Key'] = options.idempotencyKey ?? this.environment.newKey()
    const timeoutMs = options.timeoutMs ?? request.timeoutMs
    let refused: string | undefined
    let retry = 0
    for (;;) {
      options.signal?.throwIfAborted()
      const token = await this.unlessAborted(request.token?.token(refused), options.signal)
      if (token !== undefined) headers.Authorization = `Bearer ${token}`
      try {
        return await this.once(request, headers, timeoutMs, options.signal, read)
      } catch (error) {
        if (error instanceof KycError && error.status === 401 && request.token?.renewable && refused === undefined) {
          refused = token // it may have been withdrawn before its time; nothing was done yet
          continue
        }
        const pause = retry < this.retries ? this.pause(error, retry) : undefined
        if (pause === undefined) throw error
        retry++
        await this.environment.sleep(pause, options.signal)
      }
    }
  }

  /** One try, until the end of the answer's body. */
  private async once<T>(
    request: Request,
    headers: Record<string, string>,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted()
    const controller = new AbortController()
    const abort = () => controller.abort(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    let late = false
    const timer = setTimeout(() => {
      late = true
      controller.abort()
    }, timeoutMs)
    try {
      const response = await this.environment.fetch(this.baseUrl + request.path, {
        method: request.method,
        headers,
        body: request.body?.content ?? null,
        signal: controller.signal,
        redirect: 'manual', // what is sent here is meant for nobody else
        credentials: 'omit',
        cache: 'no-store',
      })
      if (response.status !== 200 && !request.accepts?.(response)) {
        const body = response.status === 0 ? '' : await response.text()
        throw new KycError(refusal(response.status, response.statusText, response.headers, body, this.environment.now()))
      }
      return await read(response)
    } catch (error) {
      if (error instanceof KycError) throw error
      signal?.throwIfAborted()
      throw late ? new KycTimeoutError(timeoutMs) : new KycNetworkError(error)
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
  }

  /** How long to wait before the next try, in milliseconds; undefined where none will help. */
  private pause(error: unknown, retry: number): number | undefined {
    const jitter = this.environment.random() * Math.min(longestPause, firstPause * 2 ** retry)
    if (error instanceof KycNetworkError || error instanceof KycTimeoutError) return jitter
    if (!(error instanceof KycError)) return undefined
    if (!passing.includes(error.status) && error.code !== inProgress) return undefined
    const asked = error.retryAfter ?? 0
    return asked > longestRetryAfter ? undefined : asked * 1000 + jitter
  }

  /** Waits for work that others may be waiting for too, and stops waiting when the signal says so. */
  private async unlessAborted<T>(work: Promise<T> | undefined, signal: AbortSignal | undefined): Promise<T | undefined> {
    if (!work || !signal) return work
    let abort: (() => void) | undefined
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
    })
    try {
      return await Promise.race([work, aborted])
    } finally {
      signal.removeEventListener('abort', abort!)
    }
  }
}

/** Reads JSON; what is none is no answer of this server. */
export async function readJson<T>(response: Response): Promise<T> {
  const value = parse(await response.text())
  if (value !== undefined) return value as T
  throw new KycError({
    status: response.status,
    code: 'unexpected_answer',
    title: response.statusText,
    detail: 'the answer is not JSON',
    requestId: response.headers.get('x-request-id') ?? '',
    errors: [],
    retryAfter: undefined,
  })
}
