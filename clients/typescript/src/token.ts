import type { Environment } from './environment.js'

/** Where the access token of a request comes from. */
export interface TokenSource {
  /** Whether another token may be had when one is refused. */
  readonly renewable: boolean
  /** A token that is good for now, and is another one than the one that was refused. */
  token(refused?: string): Promise<string>
}

/** A token, or a function that gets one. It is called for every request, and once more with the token that was refused. */
export type TokenOption = string | ((refused?: string) => string | Promise<string>)

export function givenToken(option: TokenOption): TokenSource {
  if (typeof option === 'string') return { renewable: false, token: async () => option }
  return { renewable: true, token: async (refused) => option(refused) }
}

/** An answer of the token endpoint. */
export interface Grant {
  token: string
  /** Milliseconds since 1970. */
  expiresAt: number
}

/** A token is renewed 30 s before it ends; one that lives less than 5 minutes, when nine tenths of its life are over. */
const renewBefore = 30_000

/**
 * A source that keeps a token until shortly before its end. However many requests need a new one at the same time,
 * it is asked for once.
 */
export function cachedToken(environment: Environment, grant: () => Promise<Grant>): TokenSource {
  let held: { token: string; renewAt: number } | undefined
  let pending: Promise<string> | undefined

  const renew = async (): Promise<string> => {
    const began = environment.now()
    const { token, expiresAt } = await grant()
    held = { token, renewAt: expiresAt - Math.min(renewBefore, (expiresAt - began) / 10) }
    return token
  }
  return {
    renewable: true,
    token: async (refused) => {
      if (held && held.token !== refused && environment.now() < held.renewAt) return held.token
      pending ??= renew().finally(() => {
        pending = undefined
      })
      return pending
    },
  }
}
