import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { KycClient, KycSdk } from 'kycd-client'
import { client, json, world } from './world.js'

/** The operations of the contract, as "POST /v2/idv/session/create". */
function contract() {
  const text = readFileSync(new URL('../../../rest/openapi.yaml', import.meta.url), 'utf8')
  const operations = []
  let path
  for (const line of text.slice(text.indexOf('\npaths:'), text.indexOf('\ncomponents:')).split('\n')) {
    path = /^ {2}['"]?(\/[^'":]*)['"]?:\s*$/.exec(line)?.[1] ?? path
    const method = /^ {4}(get|post|put|patch|delete):/.exec(line)?.[1]
    if (method) operations.push(`${method.toUpperCase()} ${path}`)
  }
  assert.equal(operations.length, text.match(/^ +operationId:/gm).length, 'the contract is not laid out as this test reads it')
  return operations
}

/** Calls every method below value, and gives the requests that came of it with the methods' names. */
async function callAll(value, world, path = []) {
  const called = []
  for (const [name, member] of Object.entries(value)) {
    if (typeof member === 'object') called.push(...(await callAll(member, world, [...path, name])))
    if (typeof member !== 'function') continue
    const before = world.requests.length
    await member(name === 'getById' ? 'an id' : {})
    assert.equal(world.requests.length, before + 1, `${name} made one request`)
    called.push({ name: [...path, name].join('.'), operation: world.asked().at(-1), headers: world.requests.at(-1).headers })
  }
  return called
}

/** What a method must be called, so that nobody has to guess: the parts of the path. */
function nameOf(operation) {
  const [method, path] = operation.split(' ')
  const parts = path.replace('/v2/', '').split('/').filter(Boolean)
  if (path === '/') return 'root'
  if (path.endsWith('/{id}')) return [...parts.slice(0, -1), 'getById'].join('.')
  if (/(requirements|weights)$/.test(path)) return [...parts, method === 'GET' ? 'get' : 'update'].join('.')
  return parts.join('.')
}

const ofClient = contract().filter((operation) => !/\/oauth2\/|\/\.well-known\//.test(operation))

test('a backend reaches every operation at the parts of its path', async () => {
  const w = world(() => json({ token: 'x' }))
  const backend = new KycClient({ ...client, token: 'token', environment: w.environment })
  const called = await callAll(backend, w)
  assert.ok(called.length >= 53, `${called.length} operations`)
  const got = called.map(({ name, operation }) => `${name} = ${operation.replace('an%20id', '{id}')}`)
  assert.deepEqual(got.sort(), ofClient.map((operation) => `${nameOf(operation)} = ${operation}`).sort())
  for (const { operation, headers } of called) {
    const [method, path] = operation.split(' ')
    assert.equal(headers.get('authorization'), path.startsWith('/v2/') ? 'Bearer token' : null, operation)
    assert.equal(headers.get('x-client-id'), path.includes('/sdk/') ? 'client-1' : null, operation)
    assert.equal(headers.has('idempotency-key'), method === 'POST', operation)
  }
})

test('a device reaches every SDK operation at the parts of its path', async () => {
  const w = world(() => json({ token: 'x' }))
  const device = new KycSdk({ ...client, sessionId: 'session-1', token: 'token', environment: w.environment })
  const called = await callAll(device, w)
  const got = called.map(({ name, operation }) => `${name} = ${operation}`)
  const want = ofClient.filter((operation) => operation.includes('/sdk/') || !operation.includes('/v2/'))
  assert.deepEqual(got.sort(), want.map((operation) => `${nameOf(operation).replace('.sdk.', '.')} = ${operation}`).sort())
  for (const { operation, headers } of called.filter(({ operation }) => operation.includes('/v2/'))) {
    assert.equal(headers.get('x-client-id'), 'client-1', operation)
    assert.equal(headers.get('authorization'), 'Bearer token', operation)
  }
})

test('a device names its session in every body, unless the body does', async () => {
  const w = world(() => json({ token: 'x' }))
  const { idv, ida, identity } = new KycSdk({ ...client, sessionId: 'session-1', token: 'token', environment: w.environment })
  const body = () => JSON.parse(w.requests.at(-1).body)
  await idv.consent.add({ consented: true })
  assert.deepEqual(body(), { session_id: 'session-1', consented: true })
  await ida.finalize({})
  assert.deepEqual(body(), { session_id: 'session-1' })
  await idv.finalize()
  assert.deepEqual(body(), { session_id: 'session-1' })
  await idv.consent.add({ session_id: 'session-2', consented: true })
  assert.deepEqual(body(), { session_id: 'session-2', consented: true })
  await identity.status.read({ identity_id: 'identity-1' })
  assert.deepEqual(body(), { identity_id: 'identity-1' })
})

test('queries and ids are encoded, and what is not given is not sent', async () => {
  const w = world(() => json({ requirements: [] }))
  const { idv } = new KycClient({ ...client, token: 'token', environment: w.environment })
  await idv.requirements.get({ client_id: 'a&b', type_e: 'passport', user_id: undefined })
  await idv.requirements.get()
  await idv.weights.getById('../a b')
  assert.deepEqual(w.requests.map(({ url }) => url.slice(client.baseUrl.length)), [
    '/v2/idv/requirements?client_id=a%26b&type_e=passport',
    '/v2/idv/requirements',
    '/v2/idv/weights/..%2Fa%20b',
  ])
})

test('an empty answer is nothing, another one is itself', async () => {
  const w = world(json({}), json({ session_id: 's' }))
  const { idv } = new KycClient({ ...client, token: 'token', environment: w.environment })
  assert.equal(await idv.session.delete({ session_id: 's' }), undefined)
  assert.deepEqual(await idv.session.create(), { session_id: 's' })
  assert.equal(w.requests[1].body, '{}')
})

test('a base address may have a path, and nothing else', async () => {
  const w = world(() => json({ pong: true }))
  await new KycClient({ ...client, baseUrl: 'http://127.0.0.1:8080/kyc/', token: 't', environment: w.environment }).ping()
  assert.equal(w.requests[0].url, 'http://127.0.0.1:8080/kyc/ping')
  for (const baseUrl of ['', 'kyc.example.com', 'ftp://kyc.example.com', 'https://a:b@kyc.example.com', 'https://kyc.example.com/?a=b']) {
    assert.throws(() => new KycClient({ ...client, baseUrl, token: 't' }), TypeError, baseUrl)
  }
})

test('a state of health is an answer also where it is bad', async () => {
  const w = world(json({ status: 'error', error: 'database' }, 503), problem503())
  const { health } = new KycClient({ ...client, token: 't', retries: 0, environment: w.environment })
  assert.deepEqual(await health(), { status: 'error', error: 'database' })
  assert.equal(w.requests.length, 1)
  await assert.rejects(health(), { name: 'KycError', status: 503, code: 'unavailable' })
})

function problem503() {
  return new Response(JSON.stringify({ code: 'unavailable' }), { status: 503, headers: { 'content-type': 'application/problem+json' } })
}
