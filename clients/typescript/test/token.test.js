import assert from 'node:assert/strict'
import { test } from 'node:test'

import { KycClient, KycSdk } from 'kycd-client'
import { client, json, problem, start, withTokens, world } from './world.js'

const created = json({ session_id: 's' })
const backend = (w, more = {}) => new KycClient({ ...client, clientSecret: 'secret', environment: w.environment, ...more })
const bearer = (request) => request.headers.get('authorization')

test('the token is asked for once, by Basic, however many calls need it', async () => {
  const w = world(withTokens(created))
  const { idv } = backend(w, { clientId: 'a:b c', clientSecret: 'ü&%' })
  await Promise.all(Array.from({ length: 20 }, () => idv.session.create({})))
  assert.equal(w.asked().filter((asked) => asked === 'POST /oauth2/token').length, 1)
  const [token, ...calls] = w.requests
  assert.equal(bearer(token), `Basic ${Buffer.from('a%3Ab%20c:%C3%BC%26%25').toString('base64')}`)
  assert.equal(token.headers.get('content-type'), 'application/x-www-form-urlencoded')
  assert.equal(token.headers.get('idempotency-key'), null)
  assert.equal(token.body, 'grant_type=client_credentials')
  assert.ok(calls.every((call) => bearer(call) === 'Bearer token-1'))
})

test('a token is renewed shortly before it ends', async () => {
  for (const [expiresIn, stillGood, tooOld] of [[3600, 3569_000, 3570_000], [100, 89_000, 90_000]]) {
    const w = world(withTokens(created, expiresIn))
    const { idv } = backend(w)
    await idv.session.create({})
    w.pass(stillGood)
    await idv.session.create({})
    assert.equal(bearer(w.requests.at(-1)), 'Bearer token-1')
    w.pass(tooOld - stillGood)
    await idv.session.create({})
    assert.equal(bearer(w.requests.at(-1)), 'Bearer token-2')
  }
})

test('a token that is refused is renewed once for all calls; a second refusal is final', async () => {
  const w = world(withTokens((_, __, sent) => (bearer(sent) === 'Bearer token-1' ? problem(401, 'unauthorized') : created.clone())))
  const { idv } = backend(w)
  await Promise.all([idv.session.create({}), idv.session.create({}), idv.session.create({})])
  assert.equal(w.asked().filter((asked) => asked === 'POST /oauth2/token').length, 2)
  assert.deepEqual(w.sleeps, [])
  const tries = w.requests.filter(({ headers }) => headers.get('idempotency-key') === 'key-1')
  assert.deepEqual(tries.map(bearer), ['Bearer token-1', 'Bearer token-2'])

  const never = world(withTokens(problem(401, 'unauthorized')))
  await assert.rejects(backend(never).idv.session.create({}), { status: 401, code: 'unauthorized' })
  assert.deepEqual(never.asked(), ['POST /oauth2/token', 'POST /v2/idv/session/create', 'POST /oauth2/token', 'POST /v2/idv/session/create'])
})

test('what the token endpoint refuses is an error with its code, and the next call asks again', async () => {
  const w = world(json({ error: 'invalid_client', error_description: 'no such client' }, 401), withTokens(created))
  const { idv } = backend(w)
  await assert.rejects(idv.session.create({}), { name: 'KycError', status: 401, code: 'invalid_client', detail: 'no such client' })
  await idv.session.create({})
  assert.deepEqual(w.asked(), ['POST /oauth2/token', 'POST /oauth2/token', 'POST /v2/idv/session/create'])
})

test('the token endpoint is tried again where that may help', async () => {
  const w = world(new TypeError('fetch failed'), json({ error: 'temporarily_unavailable' }, 503, { 'retry-after': '1' }), withTokens(created))
  await backend(w).idv.session.create({})
  assert.deepEqual(w.sleeps, [250, 1500])
})

test('scopes are asked for when they are named', async () => {
  const w = world(withTokens(created))
  await backend(w, { scope: ['idv', 'webhook'] }).idv.session.create({})
  assert.equal(w.requests[0].body, 'grant_type=client_credentials&scope=idv+webhook')
})

test('an SDK token is for one session, and can be sent to a device', async () => {
  const w = world(withTokens(created, 900))
  const given = JSON.parse(JSON.stringify(await backend(w).sdkToken('session-1')))
  assert.deepEqual(given, { clientId: 'client-1', sessionId: 'session-1', token: 'token-1', expiresAt: new Date(start + 900_000).toISOString() })
  assert.equal(w.requests[0].body, 'grant_type=client_credentials&scope=sdk&session_id=session-1')
  await new KycSdk({ baseUrl: client.baseUrl, ...given, environment: w.environment }).idv.session.read({})
  assert.equal(bearer(w.requests[1]), 'Bearer token-1')
})

test('tokens of another issuer are taken as they are, and exchanged for SDK tokens', async () => {
  const w = world(withTokens(created))
  const asked = []
  const kyc = backend(w, {
    clientSecret: undefined,
    token: async (refused) => {
      asked.push(refused)
      return `external-${asked.length}`
    },
  })
  await kyc.idv.session.create({})
  assert.equal(bearer(w.requests[0]), 'Bearer external-1')
  await kyc.sdkToken('session-1')
  const form = new URLSearchParams(w.requests[1].body)
  assert.deepEqual(Object.fromEntries(form), {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    client_id: 'client-1',
    subject_token: 'external-2',
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    scope: 'sdk',
    session_id: 'session-1',
  })
  assert.equal(bearer(w.requests[1]), null)
  assert.deepEqual(asked, [undefined, undefined])
})

test("a device's token may be a function, which hears of a refusal", async () => {
  const w = world(problem(401, 'unauthorized'), created)
  const asked = []
  const token = (refused) => {
    asked.push(refused)
    return refused === undefined ? 'old' : 'new'
  }
  await new KycSdk({ ...client, sessionId: 's', token, environment: w.environment }).idv.session.read({})
  assert.deepEqual(asked, [undefined, 'old'])
  assert.deepEqual(w.requests.map(bearer), ['Bearer old', 'Bearer new'])

  const fixed = world(problem(401, 'unauthorized'))
  await assert.rejects(new KycSdk({ ...client, sessionId: 's', token: 'old', environment: fixed.environment }).idv.session.read({}), { status: 401 })
  assert.equal(fixed.requests.length, 1)
})

test('a client has a secret or tokens, not both and not none', () => {
  assert.throws(() => new KycClient({ ...client }), TypeError)
  assert.throws(() => new KycClient({ ...client, clientSecret: 's', token: 't' }), TypeError)
})

test('the secret is in no error and in nothing that is printed', async () => {
  const w = world(new TypeError('fetch failed'))
  const kyc = backend(w, { clientSecret: 'canary-secret' })
  const { inspect } = await import('node:util')
  assert.ok(!inspect(kyc, { depth: 9, showHidden: true }).includes('canary-secret'))
  await assert.rejects(kyc.idv.session.create({}), (error) => !inspect(error, { depth: 9 }).includes('canary-secret'))
})
