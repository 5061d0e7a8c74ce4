import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { test } from 'node:test'

import { KycWebhookError, verifyWebhook } from 'kycd-client'
import { start } from './world.js'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const other = `whsec_${randomBytes(32).toString('base64')}`
const seconds = start / 1000
const event = {
  type: 'idv.session.complete', timestamp: '2030-01-01T12:00:00Z',
  data: { session_id: 's', client_id: 'c', status_e: 'complete', verified: true },
}
const body = JSON.stringify(event)

function sign(key, id = 'msg_1', at = seconds, content = body) {
  const raw = Buffer.from(key.slice('whsec_'.length), 'base64')
  return `v1,${createHmac('sha256', raw).update(`${id}.${at}.`).update(content).digest('base64')}`
}

function message(more = {}, headers = {}) {
  return {
    secret, body, now: () => start,
    headers: { 'webhook-id': 'msg_1', 'webhook-timestamp': String(seconds), 'webhook-signature': sign(secret), ...headers },
    ...more,
  }
}

test("a known signature is verified", async () => {
  // The vector of the Standard Webhooks libraries. Its body is no event of ours, which is found out after the signature.
  const example = {
    secret, body: '{"test": 2432232314}', now: () => 1614265330_000,
    headers: {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
  }
  await assert.rejects(verifyWebhook(example), { code: 'invalid_event' })
  await assert.rejects(verifyWebhook({ ...example, body: '{"test": 2432232315}' }), { code: 'bad_signature' })
})

test('a signed message gives its event', async () => {
  assert.deepEqual(await verifyWebhook(message()), { id: 'msg_1', ...event })
})

test('bodies and headers may be of any kind', async () => {
  const bytes = new TextEncoder().encode(body)
  const plain = message().headers
  for (const content of [body, bytes, bytes.buffer, Buffer.from(body)]) {
    for (const headers of [plain, new Headers(plain), Object.fromEntries(Object.entries(plain).map(([name, value]) => [name.replace('webhook', 'Webhook'), value]))]) {
      assert.equal((await verifyWebhook(message({ body: content, headers }))).id, 'msg_1')
    }
  }
})

test('while secrets change, the old and the new one are good, on either side', async () => {
  const both = { 'webhook-signature': `${sign(other)} ${sign(secret)}` }
  for (const [name, input] of Object.entries({
    'the sender signs with both, the receiver knows the old': message({ secret: other }, both),
    'the sender signs with both, the receiver knows the new': message({ secret }, both),
    'the receiver knows both': message({ secret: [other, secret] }),
    'a signature of another version stands beside': message({}, { 'webhook-signature': `v1a,AAAA v2,${'A'.repeat(44)} ${sign(secret)}` }),
  })) {
    assert.equal((await verifyWebhook(input)).id, 'msg_1', name)
  }
})

test('what must not be believed is refused, with a code', async () => {
  const signedAt = (at) => ({ 'webhook-timestamp': String(at), 'webhook-signature': sign(secret, 'msg_1', at) })
  for (const [name, input, code] of [
    ['another body', message({ body: body.replace('true', 'false') }), 'bad_signature'],
    ['another id', message({}, { 'webhook-id': 'msg_2' }), 'bad_signature'],
    ['another time', message({}, { 'webhook-timestamp': String(seconds + 1) }), 'bad_signature'],
    ['another secret', message({ secret: other }), 'bad_signature'],
    ['a signature without version', message({}, { 'webhook-signature': sign(secret).slice(3) }), 'bad_signature'],
    ['a signature as of another version', message({}, { 'webhook-signature': sign(secret).replace('v1,', 'v1a,') }), 'bad_signature'],
    ['a signature cut off', message({}, { 'webhook-signature': sign(secret).slice(0, 30) }), 'bad_signature'],
    ['a signature that is no base64', message({}, { 'webhook-signature': 'v1,ä!' }), 'bad_signature'],
    ['an empty signature', message({}, { 'webhook-signature': 'v1,' }), 'bad_signature'],
    ['301 s old', message({}, signedAt(seconds - 301)), 'stale'],
    ['301 s early', message({}, signedAt(seconds + 301)), 'stale'],
    ['a minute old, where ten seconds are tolerated', message({ toleranceSeconds: 10 }, signedAt(seconds - 60)), 'stale'],
    ['a tolerance that is no number', message({ toleranceSeconds: NaN }), 'stale'],
    ['a time with a fraction', message({}, signedAt(`${seconds}.5`)), 'invalid_timestamp'],
    ['a time with a sign', message({}, signedAt(`+${seconds}`)), 'invalid_timestamp'],
    ['a time of words', message({}, signedAt('now')), 'invalid_timestamp'],
    ['no id', message({}, { 'webhook-id': undefined }), 'missing_header'],
    ['no time', message({}, { 'webhook-timestamp': '' }), 'missing_header'],
    ['no signature', message({}, { 'webhook-signature': undefined }), 'missing_header'],
    ['two signature headers', message({}, { 'webhook-signature': [sign(secret), sign(other)] }), 'missing_header'],
    ['no secret', message({ secret: [] }), 'invalid_secret'],
    ['an empty secret', message({ secret: '' }), 'invalid_secret'],
    ['a secret without its prefix', message({ secret: secret.slice(6) }), 'invalid_secret'],
    ['a short secret', message({ secret: `whsec_${randomBytes(23).toString('base64')}` }), 'invalid_secret'],
    ['a long secret', message({ secret: `whsec_${randomBytes(65).toString('base64')}` }), 'invalid_secret'],
    ['one good secret and one bad', message({ secret: [secret, 'whsec_'] }), 'invalid_secret'],
    ['no JSON', message({ body: 'x' }, { 'webhook-signature': sign(secret, 'msg_1', seconds, 'x') }), 'invalid_event'],
    ['JSON of another kind', message({ body: '[]' }, { 'webhook-signature': sign(secret, 'msg_1', seconds, '[]') }), 'invalid_event'],
  ]) {
    await assert.rejects(verifyWebhook(input), (error) => error instanceof KycWebhookError && error.code === code && !error.message.includes(secret), name)
  }
  assert.equal((await verifyWebhook(message({}, signedAt(seconds - 300)))).id, 'msg_1')
  assert.equal((await verifyWebhook(message({}, signedAt(seconds + 300)))).id, 'msg_1')
})
