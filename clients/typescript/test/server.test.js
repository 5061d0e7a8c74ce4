// Against a running server: KYCD_URL, KYCD_CLIENT_ID and KYCD_CLIENT_SECRET say which, and who calls. With KYCD_PICTURES, a folder
// with front.jpg, back.jpg and selfie.jpg of one person's driver's licence, a person is verified and recognised again.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'

import { KycClient, KycError, KycSdk, verifyWebhook } from 'kycd-client'

const { KYCD_URL: baseUrl, KYCD_CLIENT_ID: clientId, KYCD_CLIENT_SECRET: clientSecret, KYCD_PICTURES: pictures } = process.env
const place = { latitude: 46.2, longitude: 6.15 }
const nobody = '0190a5e4-0000-7000-8000-000000000000'

/** Calls again until the answer is good, for as long as the server may take for work that it does in the background. */
async function eventually(what, within, good) {
  for (const end = Date.now() + within; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const got = await good()
    if (got) return got
    assert.ok(Date.now() < end, `${what}: not within ${within} ms`)
  }
}

describe('a running server', { skip: !(baseUrl && clientId && clientSecret) && 'needs a server: KYCD_URL, KYCD_CLIENT_ID, KYCD_CLIENT_SECRET' }, () => {
  let client, session_id
  const device = async (id = session_id) => new KycSdk({ baseUrl, ...(await client.sdkToken(id)) })
  const refused = (call, status, code) => assert.rejects(call, (error) => {
    assert.ok(error instanceof KycError, String(error))
    assert.deepEqual([error.status, error.code], [status, code])
    assert.ok(error.title && error.requestId, 'a title and a request id')
    return true
  })

  before(async () => {
    client = new KycClient({ baseUrl, clientId, clientSecret })
    ;({ session_id } = await client.idv.session.create({ metadata: { test: 'typescript' } }))
  })

  test('says how it is', async () => {
    assert.equal((await client.ping()).pong, true)
    assert.ok((await client.version()).version)
    assert.equal((await client.live()).status, 'ok')
    for (const state of [await client.ready(), await client.healthz(), await client.health()]) assert.ok(state.status)
    assert.ok((await client.root()).documentation)
    assert.ok((await client.status()).endpoints.docs)
    assert.ok((await client.metrics()).system.memory.rss > 0)
  })

  test('keeps a session, and finds it', async () => {
    const session = await client.idv.session.read({ session_id })
    assert.equal(session.status_e, 'in_progress')
    assert.deepEqual(session.metadata, { test: 'typescript' })
    const { sessions, meta_counts } = await client.idv.session.list({ metadata: { test: 'typescript' }, take: 5 })
    assert.ok(sessions.some((found) => found.session_id === session_id))
    assert.ok(meta_counts.total >= 1)
  })

  test('does what a key names once', async () => {
    const idempotencyKey = `order-${crypto.randomUUID()}`
    const first = await client.idv.session.create({ metadata: { order: 1 } }, { idempotencyKey })
    assert.deepEqual(await client.idv.session.create({ metadata: { order: 1 } }, { idempotencyKey }), first)
    await refused(client.idv.session.create({ metadata: { order: 2 } }, { idempotencyKey }), 422, 'idempotency_key_reused')
    const others = await Promise.all(Array.from({ length: 10 }, () => client.idv.session.create({ metadata: { order: 1 } }, { idempotencyKey })))
    assert.deepEqual(new Set(others.map((other) => other.session_id)), new Set([first.session_id]))
    assert.equal(await client.idv.session.delete({ session_id: first.session_id }), undefined)
    await refused(client.idv.session.read({ session_id: first.session_id }), 404, 'not_found')
  })

  test('refuses with a code', async () => {
    await refused(client.idv.session.read({ session_id: nobody }), 404, 'not_found')
    await assert.rejects(client.idv.session.create({ liveness_mode: 'x' }), (error) => {
      assert.equal(error.status, 400)
      assert.deepEqual(error.errors.map(({ pointer }) => pointer), ['/liveness_mode'])
      return true
    })
    const stranger = new KycClient({ baseUrl, clientId, clientSecret: 'wrong' })
    await assert.rejects(stranger.idv.session.read({ session_id }), { name: 'KycError', status: 401, code: 'invalid_client' })
  })

  test('lets a device do its session and nothing else', async () => {
    const sdk = await device()
    assert.equal((await sdk.idv.session.read({})).consented, null)
    await refused(sdk.idv.document.type.update({ document_type_e: 'passport' }), 409, 'consent_required')
    assert.equal(await sdk.idv.consent.add({ consented: true }), undefined)
    await sdk.idv.document.type.update({ document_type_e: 'driver_license' })
    await sdk.idv.metadata.update({ sdk_metadata: { version: 1 } })
    const session = await sdk.idv.session.read({})
    assert.deepEqual([session.consented, session.document_type_e, session.sdk_metadata], [true, 'driver_license', { version: 1 }])
    await assert.rejects(sdk.idv.document.front.add({ ...place, image: new TextEncoder().encode('no picture') }), { name: 'KycError', status: 415, code: 'image_unsupported' })
    const other = await client.idv.session.create()
    await assert.rejects(sdk.idv.session.read({ session_id: other.session_id }), ({ status }) => status === 404 || status === 403)
    const backend = new KycClient({ baseUrl, clientId, token: (await client.sdkToken(session_id)).token })
    await refused(backend.idv.session.read({ session_id }), 403, 'forbidden')
  })

  test('tells its weights and requirements', async () => {
    const { id, created_at, client_id, user_id, ...weights } = await client.idv.weights.get()
    const { requirements } = await client.idv.requirements.get({ type_e: 'driver_license' })
    assert.ok(requirements.every(({ type_e }) => type_e === 'driver_license'))
    if (id) assert.equal((await client.idv.weights.getById(id)).idv_session_tolerance, weights.idv_session_tolerance)
    await assert.rejects(client.idv.weights.update({ ...weights, idv_session_tolerance: 7 }), ({ status, errors }) => {
      assert.equal(status, 400)
      assert.deepEqual(errors.map(({ pointer }) => pointer), ['/idv_session_tolerance'])
      return true
    })
  })

  test('tells of what happens by signed webhook', async () => {
    const messages = []
    const receiver = createServer(async (request, response) => {
      const body = []
      for await (const piece of request) body.push(piece)
      messages.push({ headers: request.headers, body: Buffer.concat(body) })
      response.writeHead(204).end()
    })
    await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    try {
      const url = `http://127.0.0.1:${receiver.address().port}/kyc`
      const { id, secret } = await client.webhook.create({ name: 'test of the TypeScript client', url })
      try {
        const { webhooks } = await client.webhook.list({ search_term: 'TypeScript' })
        assert.ok(webhooks.some((webhook) => webhook.id === id && webhook.url === url))
        const { session_id: erased } = await client.idv.session.create()
        await client.idv.session.anonymize({ session_id: erased })
        const event = await eventually('the webhook', 20_000, async () => {
          for (const message of messages) {
            const event = await verifyWebhook({ secret, ...message })
            if (event.data.session_id === erased) return event
          }
          return undefined
        })
        assert.equal(event.type, 'idv.session.anonymized')
        assert.equal(event.data.client_id, clientId)
        await assert.rejects(verifyWebhook({ secret, ...messages[0], body: `${messages[0].body} ` }), { code: 'bad_signature' })
      } finally {
        await client.webhook.delete({ id })
      }
    } finally {
      receiver.closeAllConnections()
      receiver.close()
    }
  })

  test('verifies a person, and recognises them again', { skip: !pictures && 'needs pictures: KYCD_PICTURES' }, async () => {
    const [front, back, selfie, later] = await Promise.all(['front.jpg', 'back.jpg', 'selfie.jpg', 'later.jpg'].map((name) => readFile(join(pictures, name))))
    const person = await client.idv.session.create()
    const sdk = await device(person.session_id)
    await sdk.idv.consent.add({ consented: true })
    await sdk.idv.document.type.update({ document_type_e: 'driver_license' })
    await sdk.idv.document.front.add({ ...place, image: front })
    await sdk.idv.document.back.add({ ...place, image: new Blob([back]) })
    await sdk.idv.liveness.generate(place)
    await sdk.idv.liveness.process({ ...place, images: [selfie] })
    const outcome = await sdk.idv.finalize()
    const decided = await eventually('the decision', 60_000, async () => {
      const session = await client.idv.session.read(person)
      return session.status_e === 'complete' && session
    })
    assert.equal(decided.verified, true, JSON.stringify(outcome))
    // Whoever was verified here before is known already.
    assert.deepEqual(decided.reasons.filter((reason) => !reason.startsWith('identity_joined')), [])
    assert.ok(decided.identity_id)
    assert.ok((await client.idv.session.test.read(person)).decision.pieces.length > 0)
    assert.equal((await client.idv.document.read(person)).last_name, decided.last_name)
    const picture = await client.idv.document.download({ ...person, storage_file_type_e: 'driver_license_front' })
    assert.equal(picture.type, 'image/jpeg')
    assert.ok(Buffer.from(await picture.arrayBuffer()).equals(front))

    const { identity_id } = decided
    assert.equal((await client.identity.read({ identity_id })).last_name, decided.last_name)
    const again = await client.ida.session.create({ identity_id })
    const camera = await device(again.session_id)
    assert.equal((await camera.identity.status.read({ identity_id })).verified, true)
    await camera.ida.liveness.generate(place)
    await camera.ida.liveness.process({ ...place, images: [later] })
    const recognised = await camera.ida.finalize()
    assert.deepEqual(recognised, { authenticated: true, status_e: 'complete', reasons: [] })
    assert.equal((await client.ida.document.download(again)).type, 'image/jpeg')
  })
})
