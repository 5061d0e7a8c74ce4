import { type CommonOptions, newCaller, newSender } from './caller.js'
import { type Environment, realEnvironment } from './environment.js'
import { backendOperations, utilityOperations } from './operations.js'
import { type CallOptions, readJson, type Sender } from './request.js'
import { cachedToken, type Grant, givenToken, type TokenOption, type TokenSource } from './token.js'

export interface ClientOptions extends CommonOptions {
  clientId: string
  /** Never give it to a device: that is what sdkToken is for. */
  clientSecret?: string | undefined
  /** Which scopes to ask for. Default: all that the client has. */
  scope?: readonly string[] | undefined
  /** Instead of clientSecret: access tokens of the issuer that the server was told to trust. */
  token?: TokenOption | undefined
}

/** What a device needs for one session; it can be sent to it as it is, and given to KycSdk. */
export interface SdkToken {
  clientId: string
  sessionId: string
  token: string
  /** RFC 3339, UTC. */
  expiresAt: string
}

export interface KycClient extends ReturnType<typeof utilityOperations>, ReturnType<typeof backendOperations> {}

/**
 * A backend's client: every operation of the contract at the parts of its path, as in
 * `client.idv.session.create({})`. Tokens are fetched, kept and renewed by it.
 */
export class KycClient {
  readonly #sender: Sender
  readonly #environment: Environment
  readonly #options: ClientOptions
  readonly #token: TokenSource

  constructor(options: ClientOptions) {
    if ((options.clientSecret === undefined) === (options.token === undefined)) {
      throw new TypeError('one of clientSecret and token is needed, and not both')
    }
    this.#options = options
    this.#environment = { ...realEnvironment(), ...options.environment }
    this.#sender = newSender(options, this.#environment)
    this.#token =
      options.token === undefined
        ? cachedToken(this.#environment, () => this.#grant({ grant_type: 'client_credentials', scope: options.scope?.join(' ') }))
        : givenToken(options.token)
    Object.assign(
      this,
      utilityOperations(newCaller(this.#sender, options, undefined)),
      backendOperations(newCaller(this.#sender, options, { clientId: options.clientId, token: this.#token })),
    )
  }

  /** A token for the device that does this session, IDV or IDA. It is good for minutes and for nothing else. */
  async sdkToken(sessionId: string, options: CallOptions = {}): Promise<SdkToken> {
    const wanted = { scope: 'sdk', session_id: sessionId }
    const { token, expiresAt } = await this.#grant(
      this.#options.token === undefined
        ? { grant_type: 'client_credentials', ...wanted }
        : {
            grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', // RFC 8693
            client_id: this.#options.clientId,
            subject_token: await this.#token.token(),
            subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
            ...wanted,
          },
      options,
    )
    return { clientId: this.#options.clientId, sessionId, token, expiresAt: new Date(expiresAt).toISOString() }
  }

  async #grant(parameters: Record<string, string | undefined>, options: CallOptions = {}): Promise<Grant> {
    const { clientId, clientSecret, timeoutMs = 35_000 } = this.#options
    const form = new URLSearchParams()
    for (const [name, value] of Object.entries(parameters)) {
      if (value) form.set(name, value)
    }
    // RFC 6749 §2.3.1: each is encoded by itself before they are joined.
    const basic = clientSecret === undefined ? undefined : btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`)
    const answer = await this.#sender.send(
      {
        method: 'POST',
        path: '/oauth2/token',
        accept: 'application/json',
        timeoutMs,
        body: { contentType: 'application/x-www-form-urlencoded', content: form.toString() },
        headers: basic === undefined ? {} : { Authorization: `Basic ${basic}` },
      },
      options,
      readJson<{ access_token: string; expires_in: number }>,
    )
    return { token: answer.access_token, expiresAt: this.#environment.now() + answer.expires_in * 1000 }
  }
}
