import type { Environment } from './environment.js'
import { toBlob } from './image.js'
import type { Caller, Duration } from './operations.js'
import { type Body, formBody, jsonBody, readJson, type Request, Sender } from './request.js'
import type { TokenSource } from './token.js'

/** What both clients may be told. */
export interface CommonOptions {
  /** Where the server is, such as https://kyc.example.com. */
  baseUrl: string
  /** How often a call is tried again at most, see README. Default 3. */
  retries?: number | undefined
  /** How long one try may take, in milliseconds. Default 35 s, with pictures 125 s, finalize 135 s. */
  timeoutMs?: number | undefined
  /** For tests: the clock, randomness and the network. */
  environment?: Partial<Environment> | undefined
}

/** A little more than what the server gives itself, so that its own answer comes first. Milliseconds. */
const durations: Readonly<Record<Duration, number>> = { plain: 35_000, pictures: 125_000, decision: 135_000 }

/** Who calls. */
export interface Identification {
  clientId: string
  token: TokenSource
  /** Fills in what a body may leave out. */
  fill?: (body: object) => object
}

export function newSender(options: CommonOptions, environment: Environment): Sender {
  const url = new URL(options.baseUrl)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new TypeError('baseUrl must begin with https:// or http://')
  if (url.search || url.hash || url.username || url.password) throw new TypeError('baseUrl must be an address without user, query and fragment')
  return new Sender(url.origin + url.pathname.replace(/\/+$/, ''), options.retries ?? 3, environment)
}

export function newCaller(sender: Sender, options: CommonOptions, who: Identification | undefined): Caller {
  const request = (method: Request['method'], path: string, duration: Duration, body?: Body): Request => ({
    method,
    path,
    accept: 'application/json',
    timeoutMs: options.timeoutMs ?? durations[duration],
    body,
    headers: who && path.includes('/sdk/') ? { 'X-Client-Id': who.clientId } : {},
    token: who?.token,
  })
  const fill = who?.fill ?? ((body: object) => body)

  return {
    get: (path, query, call = {}) => sender.send(request('GET', path + search(query), 'plain'), call, readJson),
    probe: (path, call = {}) =>
      sender.send({ ...request('GET', path, 'plain'), accepts: isState }, call, readJson),
    send: async (method, path, body, call = {}, duration = 'plain') => {
      const answer = await sender.send(request(method, path, duration, jsonBody(fill(body))), call, readJson<object>)
      return Object.keys(answer).length > 0 ? answer : undefined
    },
    download: (path, body, call = {}) =>
      sender.send({ ...request('POST', path, 'pictures', jsonBody(body)), accept: 'image/*' }, call, (response) => response.blob()),
    upload: async (path, picture, call = {}) => {
      const { image, ...fields } = fill(picture) as typeof picture
      const form = new FormData()
      for (const [name, value] of Object.entries(fields)) {
        if (value !== undefined) form.append(name, String(value))
      }
      if (image !== undefined) form.append('image', toBlob(image), 'image')
      return sender.send(request('POST', path, 'pictures', await formBody(form)), call, readJson)
    },
  }
}

/** A bad state of health is no problem document: it is what was asked for. */
function isState(response: Response): boolean {
  return response.status === 503 && (response.headers.get('content-type') ?? '').startsWith('application/json')
}

function search(query: object | undefined): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null)
  return given.length > 0 ? '?' + new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString() : ''
}
