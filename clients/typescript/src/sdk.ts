import { type CommonOptions, newCaller, newSender } from './caller.js'
import { realEnvironment } from './environment.js'
import { deviceOperations, utilityOperations } from './operations.js'
import { givenToken, type TokenOption } from './token.js'

export interface SdkOptions extends CommonOptions {
  clientId: string
  sessionId: string
  /** What KycClient.sdkToken gave; a function is asked again when the token has ended. */
  token: TokenOption
}

export interface KycSdk extends ReturnType<typeof utilityOperations>, ReturnType<typeof deviceOperations<'session_id'>> {}

/**
 * A device's client, for one session: every SDK operation at the parts of its path without `sdk`, as in
 * `sdk.idv.consent.add({ consented: true })`. The session's id is filled in.
 */
export class KycSdk {
  constructor(options: SdkOptions) {
    const sender = newSender(options, { ...realEnvironment(), ...options.environment })
    const who = { clientId: options.clientId, token: givenToken(options.token) }
    const fill = (body: object) => ({ session_id: options.sessionId, ...body })
    Object.assign(
      this,
      utilityOperations(newCaller(sender, options, undefined)),
      deviceOperations<'session_id'>(newCaller(sender, options, who), newCaller(sender, options, { ...who, fill })),
    )
  }
}
