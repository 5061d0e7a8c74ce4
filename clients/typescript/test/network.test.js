// Against a real server on this machine: what only a network shows.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'

import { KycClient, KycSdk } from 'kycd-client'

let server, baseUrl
/** How the next requests are answered; each sees what was sent. */
let answers
let received

before(async () => {
  server = createServer(async (request, response) => {
    const body = []
    for await (const piece of request) body.push(piece)
    received.push({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(body) })
    await (answers.length > 1 ? answers.shift() : answers[0])(response)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  baseUrl = `http://127.0.0.1:${server.address().port}`
})

after(() => {
  server.closeAllConnections()
  server.close()
})

const environment = { random: () => 0 } // no pause before a retry
const device = (...script) => {
  answers = script
  received = []
  return new KycSdk({ baseUrl, clientId: 'c', sessionId: 's', token: 't', environment })
}
const done = (response) => response.setHeader('content-type', 'application/json').end('{}')
const hangUp = (response) => response.destroy()
const cutOff = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 }).write('{"session_id"')
  setImmediate(() => response.destroy())
}

test('a picture is the same bytes in every try', async () => {
  const image = new Uint8Array(300_000).map((_, at) => at)
  await device(hangUp, cutOff, done).idv.document.front.add({ latitude: 46.2, longitude: '6.15', image })
  assert.equal(received.length, 3)
  const [first, ...rest] = received
  for (const again of rest) {
    assert.ok(again.body.equals(first.body), 'the body changed')
    assert.equal(again.headers['content-type'], first.headers['content-type'])
    assert.equal(again.headers['idempotency-key'], first.headers['idempotency-key'])
  }
  const form = await new Response(first.body, { headers: { 'content-type': first.headers['content-type'] } }).formData()
  assert.deepEqual([...form.keys()].sort(), ['image', 'latitude', 'longitude', 'session_id'])
  assert.deepEqual([form.get('session_id'), form.get('latitude'), form.get('longitude')], ['s', '46.2', '6.15'])
  assert.deepEqual(new Uint8Array(await form.get('image').arrayBuffer()), image)
})

test('pictures may be of any kind, and may be missing', async () => {
  const bytes = Uint8Array.from([0xff, 0xd8, 0xff, 0xe0])
  for (const image of [bytes, bytes.buffer, Buffer.from(bytes), new Blob([bytes], { type: 'image/jpeg' })]) {
    await device(done).idv.document.back.add({ latitude: 0, longitude: 0, image })
    const form = await new Response(received[0].body, { headers: { 'content-type': received[0].headers['content-type'] } }).formData()
    assert.deepEqual(new Uint8Array(await form.get('image').arrayBuffer()), bytes)
  }
  await device(done).idv.document.back.add({ latitude: 0, longitude: 0 })
  assert.ok(!received[0].body.includes('image'))
})

test('liveness frames go out in base64', async () => {
  const bytes = Uint8Array.from([1, 2, 3, 255])
  await device((response) => response.end('{"token":""}')).idv.liveness.process({
    latitude: 0, longitude: 0, images: [bytes, new Blob([bytes]), 'data:image/png;base64,AQID'],
  })
  assert.deepEqual(JSON.parse(received[0].body), { session_id: 's', latitude: 0, longitude: 0, images: ['AQID/w==', 'AQID/w==', 'data:image/png;base64,AQID'] })
})

test('a download is the picture with its type', async () => {
  answers = [(response) => response.setHeader('content-type', 'image/png').end(Buffer.from([137, 80, 78, 71]))]
  received = []
  const kyc = new KycClient({ baseUrl, clientId: 'c', token: 't', environment })
  const blob = await kyc.idv.document.download({ session_id: 's', storage_file_type_e: 'selfie' })
  assert.equal(blob.type, 'image/png')
  assert.deepEqual(new Uint8Array(await blob.arrayBuffer()), Uint8Array.from([137, 80, 78, 71]))
  assert.equal(received[0].headers.accept, 'image/*')
})

test('an answer that does not come, or does not end, is a timeout, and tried again', async () => {
  const drip = (response) => response.writeHead(200, { 'content-type': 'application/json' }).write('{')
  for (const silence of [() => {}, drip]) {
    const sdk = device(silence, done)
    await sdk.idv.consent.add({ consented: true }, { timeoutMs: 100 })
    assert.equal(received.length, 2)
    assert.equal(received[0].headers['idempotency-key'], received[1].headers['idempotency-key'])
  }
  answers = [() => {}]
  received = []
  const impatient = new KycSdk({ baseUrl, clientId: 'c', sessionId: 's', token: 't', environment, timeoutMs: 50, retries: 1 })
  await assert.rejects(impatient.idv.consent.add({ consented: true }), { name: 'KycTimeoutError', code: 'timeout', timeoutMs: 50 })
  assert.equal(received.length, 2)
})

test('a call that is aborted while it runs ends with the reason', async () => {
  const controller = new AbortController()
  const reason = new Error('the person went away')
  const sdk = device(() => controller.abort(reason))
  await assert.rejects(sdk.idv.consent.add({ consented: true }, { signal: controller.signal }), reason)
  assert.equal(received.length, 1)
})

test('a redirect is not followed: it would carry a person\'s data elsewhere', async () => {
  const sdk = device((response) => response.writeHead(307, { location: '/elsewhere' }).end())
  await assert.rejects(sdk.idv.consent.add({ consented: true }), { name: 'KycError', status: 307 })
  assert.deepEqual(received.map(({ url }) => url), ['/v2/idv/sdk/consent/add'])
})

test('nobody there is a network error', async () => {
  const closed = createServer()
  await new Promise((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address()
  await new Promise((resolve) => closed.close(resolve))
  const sdk = new KycSdk({ baseUrl: `http://127.0.0.1:${port}`, clientId: 'c', sessionId: 's', token: 't', environment })
  await assert.rejects(sdk.ping(), { name: 'KycNetworkError', code: 'network_error' })
})

test('a call leaves nothing behind that keeps a program running', async () => {
  const sdk = device(done)
  const signal = new AbortController().signal
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  await sdk.idv.consent.add({ consented: true }, { signal })
  assert.equal(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, before)
  const { getEventListeners } = await import('node:events')
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})
