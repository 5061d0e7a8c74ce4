import assert from 'node:assert/strict'
import { test } from 'node:test'

import { KycClient, KycError, KycNetworkError } from 'kycd-client'
import { client, json, problem, start, withTokens, world } from './world.js'

const backend = (w, more = {}) => new KycClient({ ...client, token: 'token', environment: w.environment, ...more })
const lost = () => new TypeError('fetch failed')

test('a refusal has everything that the server says of it', async () => {
  const errors = [{ pointer: '/metadata', code: 'type', message: 'must be an object' }]
  const w = world(problem(400, 'invalid', { errors }))
  await assert.rejects(backend(w).idv.session.create({}), (error) => {
    assert.ok(error instanceof KycError)
    const { status, code, title, detail, requestId, retryAfter } = error
    assert.deepEqual(
      { status, code, title, detail, requestId, retryAfter, errors: error.errors },
      { status: 400, code: 'invalid', title: 'title of invalid', detail: 'detail of invalid', requestId: 'request-1', retryAfter: undefined, errors },
    )
    assert.equal(error.message, '400 invalid: detail of invalid')
    return true
  })
})

test('what is no answer of this server is an error with a code too', async () => {
  const page = (status, body, headers) => new Response(body, { status, headers: { 'content-type': 'text/html', ...headers } })
  for (const [answer, want] of [
    [page(404, '<h1>no</h1>', { 'x-request-id': 'r-9' }), { status: 404, code: 'unexpected_answer', requestId: 'r-9' }],
    [page(200, '<h1>a login page</h1>'), { status: 200, code: 'unexpected_answer', requestId: '' }],
    [page(403, '[]'), { status: 403, code: 'unexpected_answer' }],
    [page(403, 'null'), { status: 403, code: 'unexpected_answer' }],
    [page(403, '{"code":7,"errors":[null,{"pointer":1}]}'), { status: 403, code: 'unexpected_answer' }],
    [page(302, '', { location: 'https://elsewhere.example' }), { status: 302, code: 'unexpected_answer' }],
    [page(204, null), { status: 204, code: 'unexpected_answer' }],
  ]) {
    const w = world(answer)
    await assert.rejects(backend(w).idv.session.create({}), { name: 'KycError', ...want })
    assert.equal(w.requests.length, 1, `${want.status} is not tried again`)
  }
})

test('what may pass is tried again with the same key and body', async () => {
  for (const failure of [
    lost(),
    problem(429, 'too_many_requests', {}, { 'retry-after': '2' }),
    problem(503, 'unavailable'),
    new Response('', { status: 502 }),
    new Response('', { status: 504 }),
    problem(409, 'idempotency_in_progress'), // the first try is still at work
  ]) {
    const w = world(failure, json({ session_id: 's' }))
    assert.deepEqual(await backend(w).idv.session.create({ metadata: { order: 7 } }), { session_id: 's' })
    const [first, second] = w.requests
    assert.equal(w.requests.length, 2)
    assert.equal(first.headers.get('idempotency-key'), 'key-1')
    assert.equal(second.headers.get('idempotency-key'), 'key-1')
    assert.equal(second.body, first.body)
    assert.equal(w.sleeps.length, 1)
  }
})

test('everything else is not', async () => {
  for (const [status, code] of [
    [400, 'invalid'], [403, 'forbidden'], [404, 'not_found'], [408, 'x'], [409, 'consent_required'], [413, 'payload_too_large'],
    [415, 'unsupported_media_type'], [422, 'idempotency_key_reused'], [425, 'x'], [500, 'internal'], [501, 'x'],
  ]) {
    const w = world(problem(status, code))
    await assert.rejects(backend(w).idv.session.create({}), { status, code })
    assert.equal(w.requests.length, 1, code)
    assert.deepEqual(w.sleeps, [])
  }
})

test('pauses double up to the longest, spread by chance, and never undercut what the server asks for', async () => {
  const pauses = async (failure, more) => {
    const w = world(failure)
    await assert.rejects(backend(w, more).idv.session.create({}))
    return w.sleeps
  }
  // Half of 500, 1000, 2000 ms: chance is always 0.5 here.
  assert.deepEqual(await pauses(lost()), [250, 500, 1000])
  assert.deepEqual(await pauses(lost(), { retries: 7 }), [250, 500, 1000, 2000, 4000, 4000, 4000])
  assert.deepEqual(await pauses(lost(), { retries: 0 }), [])
  assert.deepEqual(await pauses(problem(429, 'x', {}, { 'retry-after': '3' })), [3250, 3500, 4000])
  const date = new Date(start + 10_000).toUTCString()
  assert.deepEqual(await pauses(problem(503, 'x', {}, { 'retry-after': date }), { retries: 1 }), [10_250])
  assert.deepEqual(await pauses(problem(503, 'x', {}, { 'retry-after': '61' })), [], 'too long to wait for')
  assert.deepEqual(await pauses(problem(503, 'x', {}, { 'retry-after': 'soon' }), { retries: 1 }), [250])
  assert.deepEqual(await pauses(problem(503, 'x', {}, { 'retry-after': '-5' }), { retries: 1 }), [250])
})

test('the caller sees how long the server asks to wait', async () => {
  const w = world(problem(429, 'too_many_requests', {}, { 'retry-after': '3600' }))
  await assert.rejects(backend(w).idv.session.create({}), { status: 429, retryAfter: 3600 })
})

test('what comes at last is thrown', async () => {
  const w = world(lost())
  await assert.rejects(backend(w).idv.session.create({}), (error) => {
    assert.ok(error instanceof KycNetworkError)
    assert.equal(error.code, 'network_error')
    assert.equal(error.cause.message, 'fetch failed')
    return true
  })
  assert.equal(w.requests.length, 4)
})

test('every call has a key of its own, or the one that it is given; only POST has one', async () => {
  const w = world(() => json({ a: 1 }))
  const { idv } = backend(w)
  await idv.session.create({})
  await idv.session.create({})
  await idv.session.create({}, { idempotencyKey: 'order-7' })
  await idv.weights.update({})
  await idv.weights.get()
  assert.deepEqual(w.requests.map(({ headers }) => headers.get('idempotency-key')), ['key-1', 'key-2', 'order-7', null, null])
})

test('nothing is sent where a browser or a redirect would carry it elsewhere', async () => {
  const w = world(() => json({ a: 1 }))
  await backend(w).idv.session.create({})
  const { redirect, credentials, cache } = w.requests[0].init
  assert.deepEqual({ redirect, credentials, cache }, { redirect: 'manual', credentials: 'omit', cache: 'no-store' })
})

test('an aborted call ends with the reason, before, between and during its tries', async () => {
  const reason = new Error('the person went away')
  const before = world(json({}))
  await assert.rejects(backend(before).idv.session.create({}, { signal: AbortSignal.abort(reason) }), reason)
  assert.equal(before.requests.length, 0)

  const between = new AbortController()
  const w = world(() => {
    between.abort(reason)
    throw lost()
  })
  await assert.rejects(backend(w).idv.session.create({}, { signal: between.signal }), reason)
  assert.equal(w.requests.length, 1)

  const during = new AbortController()
  const hanging = world(
    (_, init) =>
      new Promise((_, reject) => {
        init.signal.addEventListener('abort', () => reject(init.signal.reason))
        queueMicrotask(() => during.abort(reason))
      }),
  )
  await assert.rejects(backend(hanging).idv.session.create({}, { signal: during.signal }), reason)
  assert.equal(hanging.requests.length, 1)
})

test('an aborted call does not wait for a token that others wait for', async () => {
  let give
  const w = world(withTokens(json({ session_id: 's' })))
  const fetch = w.environment.fetch
  w.environment.fetch = async (url, init) => {
    if (url.endsWith('/oauth2/token')) await new Promise((resolve) => (give = resolve))
    return fetch(url, init)
  }
  const kyc = new KycClient({ ...client, clientSecret: 'secret', environment: w.environment })
  const controller = new AbortController()
  const reason = new Error('no time')
  const impatient = kyc.idv.session.create({}, { signal: controller.signal })
  const patient = kyc.idv.session.create({})
  controller.abort(reason)
  await assert.rejects(impatient, reason)
  give()
  assert.deepEqual(await patient, { session_id: 's' })
  assert.deepEqual(w.asked(), ['POST /oauth2/token', 'POST /v2/idv/session/create'])
})
