import { KycWebhookError, object, parse } from './error.js'
import { toBytes } from './image.js'
import type { Schemas } from './operations.js'

/** What happened to a session. Read the rest by the session's id: the message holds nothing of a person. */
export interface WebhookEvent {
  /** The same when the message is delivered again: do nothing for an id that you have seen. */
  id: string
  /** There may be more in time: let what you do not know pass. */
  type: WebhookEventType | (string & {})
  /** When it happened, RFC 3339. */
  timestamp: string
  data: WebhookData
}

export type WebhookEventType = `${'idv' | 'ida'}.session.${'complete' | 'temporarily_complete' | 'expired' | 'anonymized'}`

export interface WebhookData {
  session_id: string
  client_id: string
  status_e: Schemas['StatusE']
  /** The person's lasting id, where there is one. */
  identity_id?: string
  /** Of an IDV session that is decided. */
  verified?: boolean
  /** Of an IDA session that is decided. */
  authenticated?: boolean
  [name: string]: unknown
}

export interface WebhookMessage {
  /** whsec_…, as webhook.create gave it; several while one takes the other's place. */
  secret: string | readonly string[]
  /** Of a Fetch request, or of Node's http. */
  headers: Headers | Record<string, string | readonly string[] | undefined>
  /** The body as it came. Parsed and written again it is another one. */
  body: string | Uint8Array | ArrayBuffer
  /** By how much the message's time may differ from now. Default 300. */
  toleranceSeconds?: number | undefined
  /** Milliseconds since 1970. */
  now?: (() => number) | undefined
}

/** Standard Webhooks 1.0.0: a secret has 24 to 64 bytes. */
const minSecretBytes = 24
const maxSecretBytes = 64

/**
 * Checks a message as Standard Webhooks 1.0.0 asks, and gives its event: the three headers are there, the time is near,
 * and one of the signatures is by one of the secrets. It throws KycWebhookError.
 */
export async function verifyWebhook(message: WebhookMessage): Promise<WebhookEvent> {
  const id = header(message.headers, 'webhook-id')
  const timestamp = header(message.headers, 'webhook-timestamp')
  const signatures = header(message.headers, 'webhook-signature')
  if (!/^\d{1,12}$/.test(timestamp)) throw new KycWebhookError('invalid_timestamp', 'webhook-timestamp is no number of seconds')
  const now = (message.now ?? Date.now)() / 1000
  if (!(Math.abs(now - Number(timestamp)) <= (message.toleranceSeconds ?? 300))) {
    throw new KycWebhookError('stale', 'the message is from another time')
  }
  const body = bytes(message.body)
  const secrets = typeof message.secret === 'string' ? [message.secret] : message.secret
  if (secrets.length === 0) throw new KycWebhookError('invalid_secret', 'there is no secret to verify with')
  const keys = await Promise.all(secrets.map(importKey))
  const signed = concatenate(new TextEncoder().encode(`${id}.${timestamp}.`), body)
  if (!(await anyValid(keys, v1(signatures), signed))) throw new KycWebhookError('bad_signature', 'no signature is by one of the secrets')
  return event(id, body)
}

function header(headers: WebhookMessage['headers'], name: string): string {
  const value = isHeaders(headers) ? headers.get(name) : Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  if (typeof value !== 'string' || value === '') throw new KycWebhookError('missing_header', `${name} is missing, or there is more than one`)
  return value
}

/** Not instanceof: some frameworks, and test runners, bring a Headers of their own. */
function isHeaders(headers: WebhookMessage['headers']): headers is Headers {
  return typeof headers.get === 'function'
}

function bytes(body: WebhookMessage['body']): Uint8Array {
  return typeof body === 'string' ? new TextEncoder().encode(body) : toBytes(body)
}

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(a.length + b.length)
  all.set(a)
  all.set(b, a.length)
  return all
}

async function importKey(secret: string): Promise<CryptoKey> {
  const raw = secret.startsWith('whsec_') ? decode(secret.slice('whsec_'.length)) : undefined
  if (!raw || raw.length < minSecretBytes || raw.length > maxSecretBytes) {
    throw new KycWebhookError('invalid_secret', 'a secret is whsec_ and 24 to 64 bytes in base64')
  }
  return crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
}

/** The signatures of version 1, HMAC-SHA-256, of a list that is separated by blanks. */
function v1(list: string): Uint8Array<ArrayBuffer>[] {
  return list
    .split(' ')
    .filter((signature) => signature.startsWith('v1,'))
    .map((signature) => decode(signature.slice('v1,'.length)))
    .filter((signature) => signature !== undefined)
}

/** Compares in constant time: WebCrypto's verify does. */
async function anyValid(keys: CryptoKey[], signatures: Uint8Array<ArrayBuffer>[], signed: Uint8Array<ArrayBuffer>): Promise<boolean> {
  for (const key of keys) {
    for (const signature of signatures) {
      if (await crypto.subtle.verify('HMAC', key, signature, signed)) return true
    }
  }
  return false
}

function decode(base64: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}

function event(id: string, body: Uint8Array): WebhookEvent {
  const { type, timestamp, data } = object(parse(new TextDecoder().decode(body)))
  if (typeof type !== 'string' || typeof timestamp !== 'string' || typeof data !== 'object' || data === null) {
    throw new KycWebhookError('invalid_event', 'the body is no event')
  }
  return { id, type, timestamp, data: data as WebhookData }
}
