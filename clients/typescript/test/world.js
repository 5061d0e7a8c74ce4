// A world of its own for a client: answers by script, a clock that moves only when somebody sleeps.

export const start = Date.parse('2030-01-01T12:00:00Z')

/** answers are Responses, errors to throw, or functions (url, init) => Response; the last one is repeated. */
export function world(...answers) {
  const requests = []
  const sleeps = []
  let now = start
  let keys = 0
  const environment = {
    fetch: async (url, init) => {
      const sent = { url, method: init.method, headers: new Headers(init.headers), body: init.body, init }
      requests.push(sent)
      const answer = answers.length > 1 ? answers.shift() : answers[0]
      if (answer instanceof Error) throw answer
      return typeof answer === 'function' ? answer(url, init, sent) : answer.clone()
    },
    now: () => now,
    random: () => 0.5,
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted()
      sleeps.push(milliseconds)
      now += milliseconds
    },
    newKey: () => `key-${++keys}`,
  }
  return {
    environment,
    requests,
    sleeps,
    pass: (milliseconds) => {
      now += milliseconds
    },
    /** The requests, as "POST /path". */
    asked: () => requests.map(({ method, url }) => `${method} ${new URL(url).pathname}`),
  }
}

export function json(value, status = 200, headers = {}) {
  return new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json', ...headers } })
}

export function problem(status, code, more = {}, headers = {}) {
  const body = { type: `/docs#${code}`, title: `title of ${code}`, status, detail: `detail of ${code}`, code, request_id: 'request-1', ...more }
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/problem+json', ...headers } })
}

export const client = { baseUrl: 'https://kyc.example.com', clientId: 'client-1' }

/** Answers tokens token-1, token-2 … and everything else by answer. */
export function withTokens(answer, expiresIn = 3600) {
  let tokens = 0
  return (url, init, sent) => {
    if (new URL(url).pathname === '/oauth2/token') return json({ access_token: `token-${++tokens}`, token_type: 'Bearer', expires_in: expiresIn, scope: 'idv' })
    return typeof answer === 'function' ? answer(url, init, sent) : answer.clone()
  }
}
